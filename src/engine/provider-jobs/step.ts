/**
 * One step of a provider batch, from hold to release: what is to be done, what came of it, and what
 * follows.
 */

import { BadUserInput } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { beginFailure, noteWaiting } from '../../db/batch-life.ts';
import { readBatchPlan } from '../../db/batches.ts';
import type { Database } from '../../db/driver/client.ts';
import { giveBackOthers } from '../../db/provider-batch-items.ts';
import {
  changeProviderBatch,
  endProviderBatch,
  type HeldProviderBatch,
  parkProviderBatch,
  releaseProviderBatch,
  resumeProviderBatch,
} from '../../db/provider-batches.ts';
import { rowFileOf } from '../../files/row.ts';
import type { BatchApi } from '../../model/batch-api.ts';
import { ModelError } from '../../model/model.ts';
import type { Publisher } from '../live/publisher.ts';
import type { Lease } from '../process/lease.ts';
import type { Nudges } from '../process/nudges.ts';
import type { Plan } from '../run/plan.ts';
import { followJob } from './follow-job.ts';
import { HandsLost, type HeldJob, type Learned, type Outcome } from './job.ts';
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

type Held = HeldProviderBatch & Hands;

export interface StepOptions {
  db: Database;
  nudges: Nudges;
  /**
   * Binds a batch's stored operation to its model. Throws BadUserInput where this process cannot
   * run it.
   */
  preparePlan: (batch: { operation: string; options: string; model: string }) => Plan;
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
}

/** What takes a provider batch that is in this worker's hands through its next step. */
export function createStep({
  db,
  nudges,
  preparePlan,
  lease,
  pollMs,
  publisher,
  stopping,
  onDueIn,
  log,
}: StepOptions): (held: HeldProviderBatch, hands: Hands) => Promise<void> {
  const { sql } = db;
  /** Since when the steps of each provider batch fail, by its id. */
  const failingSince = new Map<string, Date>();
  const learned: Learned = { bytes: createLearnedLimits(), requests: createLearnedLimits() };

  /** Never rejects. */
  async function take(held: HeldProviderBatch, hands: Hands): Promise<void> {
    const mine = { ...held, ...hands };
    try {
      await settle(mine, await outcomeOf(mine));
    } catch (error) {
      if (error instanceof HandsLost) return;
      const isOurs = error instanceof ModelError || stopping.aborted || hands.ended.aborted;
      if (!isOurs)
        log.warn(
          { err: error, batch: held.batchId, providerBatch: held.id },
          'a step failed; trying again',
        );
      await releaseProviderBatch(db, mine, stopping.aborted ? 0 : brokenStepMs).catch(
        () => undefined, // the step is done again when the lease has run out
      );
    }
  }

  async function outcomeOf(held: Held): Promise<Outcome | 'park'> {
    if (held.ending === 'FAILED' && !held.unwanted) return 'park';
    if (held.parked && held.ending === null && !held.unwanted) await resumeProviderBatch(sql, held);
    const over: Outcome = { kind: 'end', status: held.status, round: false };
    if (held.unwanted && held.state === 'reading') return over;
    const found = await readBatchPlan(db, held.batchKey, { whatever: true });
    if (!found) return over;
    // The batch's own plan: by it a row that names no model, or another provider's, is read the
    // same in every step.
    let bound: Plan;
    let api: BatchApi | null;
    try {
      bound = preparePlan(found);
      api = preparePlan({ ...found, model: held.model }).model.batches;
    } catch (error) {
      if (!(error instanceof BadUserInput)) throw error;
      // Its provider cannot be told any more that it is to end.
      if (held.ending !== null || held.unwanted) return over;
      return { kind: 'stop', code: 'UNKNOWN_MODEL', message: error.message, over: false };
    }
    if (!api) {
      const message = `${held.model} has no batch API; execution LIVE calls it`;
      return { kind: 'stop', code: 'UNKNOWN_MODEL', message, over: true };
    }
    const job: HeldJob = {
      held,
      worker: held.worker,
      plan: bound,
      file: rowFileOf(found.file, found.reading),
      fileKey: found.fileKey,
      api,
      db,
      log,
      learned,
      isOurs: () => lease.id() === held.worker,
      stopping: AbortSignal.any([stopping, held.ended]),
      ended: held.ended,
      pollMs,
      publish: () => publisher.publish(held.batchKey),
    };
    try {
      return await stepOf(job);
    } catch (error) {
      if (error instanceof ModelError) return await failureOf(held, error);
      throw error;
    }
  }

  function stepOf(job: HeldJob): Promise<Outcome> {
    switch (job.held.state) {
      case 'preparing':
        return prepareJob(job);
      case 'creating':
        return recoverJob(job);
      case 'working':
        return followJob(job);
      default:
        return readJob(job);
    }
  }

  /** What a call that failed comes to, where the step itself had nothing to say about it. */
  async function failureOf(held: Held, { failure, message }: ModelError): Promise<Outcome> {
    const failures = held.failures + 1;
    if (held.unwanted && failures >= maxFailures) {
      return { kind: 'end', status: held.status, round: false };
    }
    if (failure.kind === 'item' && failures >= maxFailures) {
      log.warn(
        { batch: held.batchId, providerBatch: held.id, reason: message },
        'a provider has lost a job or its results',
      );
      return { kind: 'end', status: 'gone', round: true };
    }
    // What is being ended waits for its provider's word; a key that is gone will get none.
    if (failure.kind === 'batch') {
      return held.ending === null && !held.unwanted
        ? { kind: 'stop', code: failure.code, message, over: false }
        : { kind: 'end', status: held.status, round: false };
    }
    await changeProviderBatch(db, held, { failures });
    log.info(
      { batch: held.batchId, providerBatch: held.id, reason: message },
      'the provider did not do a step; trying again',
    );
    const retryAfterMs = failure.kind === 'later' ? failure.retryAfterMs : null;
    return { kind: 'later', dueInMs: retryMs({ failures, retryAfterMs }, pollMs), why: message };
  }

  async function settle(held: Held, outcome: Outcome | 'park'): Promise<void> {
    if (outcome === 'park') {
      failingSince.delete(held.id);
      await parkProviderBatch(sql, held);
      await nudges.send(held.batchKey, 'stop');
      return;
    }
    switch (outcome.kind) {
      case 'later':
        if (outcome.why) await explain(held, outcome.why, outcome.dueInMs);
        else failingSince.delete(held.id);
        await releaseProviderBatch(db, held, outcome.dueInMs);
        onDueIn(outcome.dueInMs);
        return;
      case 'end':
        failingSince.delete(held.id);
        // The chunks are charged with it, and not for items that were never in it.
        if (outcome.round) await giveBackOthers(sql, held);
        await endProviderBatch(sql, held, outcome);
        await nudges.send(held.batchKey, held.rescued || held.rescue ? 'work' : 'progress');
        break;
      case 'stop': {
        const { code, message, over } = outcome;
        failingSince.delete(held.id);
        // Before its chunks are given back, or they would be planned again at once.
        if (await beginFailure(db, held.batchKey, { code, message })) {
          log.warn({ batch: held.batchId, code }, 'a batch was stopped');
        }
        if (over) await endProviderBatch(sql, held, { status: 'failed', round: false });
        else await parkProviderBatch(sql, held);
        break;
      }
    }
    // Others may wait for the chunks: the end of the batch, or the next provider batch.
    await nudges.send(held.batchKey, 'stop');
  }

  /** Says on the batch why it waits. */
  async function explain(held: HeldProviderBatch, reason: string, ms: number): Promise<void> {
    const now = Date.now();
    const since = failingSince.get(held.id) ?? new Date(now);
    failingSince.set(held.id, since);
    await noteWaiting(db, held.batchKey, { reason, since, until: new Date(now + ms) });
    publisher.publish(held.batchKey);
  }

  return take;
}
