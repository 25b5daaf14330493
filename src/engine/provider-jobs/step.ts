/** One step of a provider batch, from hold to release: what to do, and what follows. */

import { BadUserInput } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { beginFailure, noteWaiting } from '../../db/batch-life.ts';
import { readBatchPlan } from '../../db/batch-plans.ts';
import type { Database } from '../../db/driver/client.ts';
import type { OwnerLimits } from '../../db/owner-limits.ts';
import { giveBackOthers } from '../../db/provider-batch-items.ts';
import {
  changeProviderBatch,
  endProviderBatch,
  type ProviderJob,
  releaseProviderBatch,
  resumeProviderBatch,
  suspendProviderBatch,
} from '../../db/provider-batches.ts';
import { rowFileOf } from '../../files/row.ts';
import type { BatchApi } from '../../model/batch-api.ts';
import { ModelError } from '../../model/model-error.ts';
import type { Telling } from '../../telemetry/events.ts';
import type { Tracing } from '../../telemetry/tracing.ts';
import type { Publisher } from '../live/publisher.ts';
import type { Lease } from '../process/lease.ts';
import type { Nudges } from '../process/nudges.ts';
import type { Plan, StoredOperation } from '../run/plan.ts';
import { followJob } from './follow-job.ts';
import { HandsLost, type JobStep, type Learned, type StepOutcome } from './job.ts';
import { createLearnedLimits } from './learned-limits.ts';
import { readJob } from './read-job.ts';
import { prepareJob, recoverJob } from './submit-job.ts';
import { retryMs } from './timing.ts';

/** A database that fails in a step is given this long. */
const brokenStepMs = 1_000;
/**
 * The end of an unwanted job is asked for so often; so often in a row a provider says that it has
 * no such job, before that is believed.
 */
const maxFailures = 5;

/** Who does a step, and for how long it may. */
export interface Hands {
  worker: string;
  /** Aborted at the end of the grace, and when the lease is lost. */
  ended: AbortSignal;
}

type OurJob = ProviderJob & Hands;

export interface StepOptions {
  db: Database;
  /** Owners' limits of spending in a month. */
  limits: OwnerLimits;
  nudges: Nudges;
  /** Binds a stored operation to its model. Throws BadUserInput where it cannot run here. */
  preparePlan: (batch: StoredOperation) => Plan;
  /** The lease that the steps are done under. */
  lease: Pick<Lease, 'id' | 'onLost'>;
  /** Milliseconds between two looks at a job; null: more rarely the older it is. */
  pollMs: number | null;
  publisher: Publisher;
  /** Aborted when the process is told to stop. */
  stopping: AbortSignal;
  /** The next step of a provider batch is due in so many milliseconds. */
  onDueIn: (ms: number) => void;
  log: Log;
  events: Telling;
  /** Null where traces are off. */
  tracing: Pick<Tracing, 'ofBatch' | 'propagates'> | null;
}

/** The states of a provider batch, as their steps are called in traces. */
const stepNames = {
  preparing: 'prepare',
  creating: 'create',
  working: 'follow',
  reading: 'read',
  done: 'end',
} as const;

/** The function that takes a provider batch in this worker's hands through its next step. */
export function createStep({
  db,
  limits,
  nudges,
  preparePlan,
  lease,
  pollMs,
  publisher,
  stopping,
  onDueIn,
  log,
  events,
  tracing,
}: StepOptions): (job: ProviderJob, hands: Hands) => Promise<void> {
  const { sql } = db;
  /** Since when the steps of each provider batch fail, by its id. */
  const failingSince = new Map<string, Date>();
  const learned: Learned = { bytes: createLearnedLimits(), requests: createLearnedLimits() };

  /** Never rejects. */
  async function take(job: ProviderJob, hands: Hands): Promise<void> {
    const mine = { ...job, ...hands };
    try {
      await carryOut(mine, await outcomeOf(mine));
    } catch (error) {
      if (error instanceof HandsLost) return;
      const isOurs = error instanceof ModelError || stopping.aborted || hands.ended.aborted;
      if (!isOurs)
        log.warn(
          { err: error, batchId: job.batchId, providerBatch: job.id },
          'a step failed; trying again',
        );
      await releaseProviderBatch(db, mine, stopping.aborted ? 0 : brokenStepMs).catch(
        () => undefined, // the step is done again when the lease has run out
      );
    }
  }

  async function outcomeOf(job: OurJob): Promise<StepOutcome | 'suspend'> {
    if (job.ending === 'FAILED' && !job.unwanted) return 'suspend';
    if (job.suspended && job.ending === null && !job.unwanted) await resumeProviderBatch(sql, job);
    const over: StepOutcome = { kind: 'end', status: job.status, round: false };
    if (job.unwanted && job.state === 'reading') return over;
    const found = await readBatchPlan(db, job.batchKey, { whatever: true });
    if (!found) return over;
    // The batch's own plan: by it a row that names no model, or another provider's, is read the
    // same in every step.
    let bound: Plan;
    let api: BatchApi | null;
    try {
      bound = preparePlan(found);
      api = preparePlan({ ...found, model: job.model }).model.batches;
    } catch (error) {
      if (!(error instanceof BadUserInput)) throw error;
      // Its provider cannot be told any more that it is to end.
      if (job.ending !== null || job.unwanted) return over;
      return { kind: 'stop', code: 'UNKNOWN_MODEL', message: error.message, over: false };
    }
    if (!api) {
      const message = `${job.model} has no batch API; execution LIVE calls it`;
      return { kind: 'stop', code: 'UNKNOWN_MODEL', message, over: true };
    }
    const trace = tracing?.ofBatch(found) ?? null;
    const step: JobStep = {
      job,
      origin: {
        lane: 'provider_batch',
        owner: found.owner,
        events,
        about: trace === null ? { batchId: found.id } : { batchId: found.id, trace },
        ...(trace === null ? {} : { trace, propagates: tracing?.propagates ?? false }),
      },
      worker: job.worker,
      plan: bound,
      caching: found,
      file: rowFileOf(found.file, found.reading),
      fileKey: found.fileKey,
      hasTwins: found.twins > 0,
      maxCostUsd: found.maxCostUsd,
      limits,
      api,
      db,
      log,
      events,
      learned,
      isOurs: () => lease.id() === job.worker,
      stopping: AbortSignal.any([stopping, job.ended]),
      ended: job.ended,
      pollMs,
      publish: () => publisher.publish(job.batchKey),
    };
    const { state } = job;
    const beganAt = performance.now();
    const tell = (error: string | null) => {
      if (trace === null) return;
      const { id, batchId: batch } = job;
      const seconds = (performance.now() - beganAt) / 1_000;
      events.emit('job.step', { trace, batch, job: id, step: stepNames[state], seconds, error });
    };
    try {
      const outcome = await stepOf(step);
      tell(outcome.kind === 'stop' ? outcome.code : null);
      return outcome;
    } catch (error) {
      tell(error instanceof ModelError ? error.failure.code : nameOf(error));
      if (error instanceof ModelError) return await failureOf(job, error);
      throw error;
    }
  }

  function stepOf(step: JobStep): Promise<StepOutcome> {
    switch (step.job.state) {
      case 'preparing':
        return prepareJob(step);
      case 'creating':
        return recoverJob(step);
      case 'working':
        return followJob(step);
      default:
        return readJob(step);
    }
  }

  /** The outcome of a call that failed, where the step itself had nothing to say about it. */
  async function failureOf(job: OurJob, { failure, message }: ModelError): Promise<StepOutcome> {
    const failures = job.failures + 1;
    if (job.unwanted && failures >= maxFailures) {
      return { kind: 'end', status: job.status, round: false };
    }
    if (failure.kind === 'item' && failures >= maxFailures) {
      log.warn(
        { batchId: job.batchId, providerBatch: job.id, reason: message },
        'a provider has lost a job or its results',
      );
      return { kind: 'end', status: 'gone', round: true };
    }
    // What is being ended waits for its provider's word; a key that is gone will get none.
    if (failure.kind === 'batch') {
      return job.ending === null && !job.unwanted
        ? { kind: 'stop', code: failure.code, message, over: false }
        : { kind: 'end', status: job.status, round: false };
    }
    await changeProviderBatch(db, job, { failures });
    log.info(
      { batchId: job.batchId, providerBatch: job.id, reason: message },
      'the provider did not do a step; trying again',
    );
    const retryAfterMs = failure.kind === 'later' ? failure.retryAfterMs : null;
    return { kind: 'later', dueInMs: retryMs({ failures, retryAfterMs }, pollMs), why: message };
  }

  async function carryOut(job: OurJob, outcome: StepOutcome | 'suspend'): Promise<void> {
    if (outcome === 'suspend') {
      goesOn(job);
      await suspendProviderBatch(sql, job);
      await nudges.send(job.batchKey, 'stop');
      return;
    }
    switch (outcome.kind) {
      case 'later':
        if (outcome.why) await explain(job, outcome.why, outcome.dueInMs);
        else goesOn(job);
        await releaseProviderBatch(db, job, outcome.dueInMs);
        onDueIn(outcome.dueInMs);
        return;
      case 'end':
        goesOn(job);
        // The chunks are charged with it, and not for items that were never in it.
        if (outcome.round) await giveBackOthers(sql, job);
        await endJob(job, outcome);
        await nudges.send(job.batchKey, job.rescued || job.rescue ? 'work' : 'progress');
        break;
      case 'stop': {
        const { code, message, over } = outcome;
        goesOn(job);
        // Before its chunks are given back, or they would be planned again at once.
        if (await beginFailure(db, job.batchKey, { code, message })) {
          events.emit('batch.stopped', { batch: job.batchId, code });
        }
        if (over) await endJob(job, { status: 'failed', round: false });
        else await suspendProviderBatch(sql, job);
        break;
      }
    }
    // Others may wait for the chunks: the end of the batch, or the next provider batch.
    await nudges.send(job.batchKey, 'stop');
  }

  async function endJob(job: OurJob, end: { status: string; round: boolean }): Promise<void> {
    await endProviderBatch(sql, job, end);
    const { batchKey, id } = job;
    events.emit('job.ended', { batchKey, job: id, status: end.status });
  }

  function goesOn({ id, batchKey }: ProviderJob): void {
    if (failingSince.delete(id)) events.emit('batch.goes_on', { batchKey });
  }

  /** Says on the batch why it waits. */
  async function explain(job: ProviderJob, reason: string, ms: number): Promise<void> {
    const now = Date.now();
    if (!failingSince.has(job.id)) events.emit('batch.waits', { batchKey: job.batchKey, reason });
    const since = failingSince.get(job.id) ?? new Date(now);
    failingSince.set(job.id, since);
    await noteWaiting(db, job.batchKey, { reason, since, until: new Date(now + ms) });
    publisher.publish(job.batchKey);
  }

  return take;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'Error';
}
