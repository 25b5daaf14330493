/**
 * The cheap lane: runs batches through their provider's own batch API. One per process that works, beside the worker whose lease it shares; any
 * number of processes. Each step of a provider batch is one hold of its row:
 *
 *   plan      open chunks of a batch become a provider batch (db/provider-batches.ts)
 *   prepare   its requests are written to a file, uploaded, and the job is created (input.ts, submit-job.ts)
 *   recover   a job that may exist, since a process died at its creation, is looked for before another is created
 *   follow    the provider is asked how it gets on, or to end it (follow-job.ts)
 *   read      what it answered is parsed, asked again live where invalid, and recorded (read-job.ts, repair-live.ts)
 *
 * What a provider batch leaves unanswered goes back to be open, for the next one, or for live calls where the batch is rescued.
 */

import { createPublisher } from '../batches/publisher.ts';
import type { Signals } from '../batches/signals.ts';
import { beginFailure, noteWaiting } from '../db/batch-life.ts';
import { readBatchPlan } from '../db/batches.ts';
import type { Database } from '../db/client.ts';
import { holdProviderBatch } from '../db/provider-batch-hold.ts';
import {
  changeProviderBatch,
  endProviderBatch,
  type HeldProviderBatch,
  listGivenUp,
  parkProviderBatch,
  planProviderBatch,
  releaseProviderBatch,
  rescueBatch,
  rescueInTime,
  resumeProviderBatch,
} from '../db/provider-batches.ts';
import { finishChunks } from '../db/results.ts';
import { BadUserInput } from '../errors.ts';
import { rowFileOf } from '../files/row.ts';
import { newId } from '../ids.ts';
import type { Log } from '../log.ts';
import type { BatchApi } from '../model/batch-api.ts';
import { ModelError } from '../model/model.ts';
import type { Plan } from '../plan.ts';
import { followJob } from './follow-job.ts';
import { removeOldInputs } from './input.ts';
import { HandsLost, type HeldJob, type Outcome } from './job.ts';
import { readJob } from './read-job.ts';
import { prepareJob, recoverJob } from './submit-job.ts';
import { retryMs } from './timing.ts';

/** Looks for due steps this often; hints come sooner. */
const lookMs = 500;
/** Steps at once in one process: uploads and downloads, mostly. */
const maxSteps = 6;
/** Those of one owner: another's are not to wait until a day's results have been read. */
const maxOwnerSteps = 4;
/** Items in a chunk, at most. */
const chunkItems = 100;
/** Chunks of which provider batches have left items unanswered so often are given up. */
const maxRounds = 3;
/** A database that fails in a step is given this long. */
const brokenStepMs = 1_000;
/** The end of an unwanted job is asked for so often; so often in a row a provider says that it has no such job, before that is believed. */
const maxFailures = 5;

export interface ProviderLane {
  start(): Promise<void>;
  /** Begins no step, lets what costs money finish for up to `graceMs`, and breaks off the rest. Called again with a shorter grace it hurries up. */
  stop(graceMs: number): Promise<void>;
  /** The lease is lost: everything ends at once. */
  fence(): void;
}

/** One that is under way. */
interface Step {
  /** Of its provider batch. */
  id: string;
  /** Whose batch it is. */
  owner: string;
  done: Promise<void>;
}

export function createProviderLane({
  db,
  signals,
  preparePlan,
  workerId,
  pollMs,
  log,
}: {
  db: Database;
  signals: Signals;
  /** Binds a batch's stored operation to its model. Throws BadUserInput where this process cannot run it. */
  preparePlan: (batch: { operation: string; options: string; model: string }) => Plan;
  /** The worker whose lease says that this process lives; null while it has none. */
  workerId: () => string | null;
  /** Milliseconds between two looks at a job; null: more rarely the older it is. */
  pollMs: number | null;
  log: Log;
}): ProviderLane {
  const { sql } = db;
  const steps = new Set<Step>();
  const publisher = createPublisher(signals);
  /** Since when the steps of each provider batch fail, by its id. */
  const failingSince = new Map<string, Date>();
  const stopping = new AbortController();
  let ended = new AbortController();
  let timer: NodeJS.Timeout | null = null;
  let looking: Promise<void> | null = null;
  let again = false;
  let unsubscribe = () => undefined as unknown;

  function look(): void {
    if (stopping.signal.aborted) return;
    if (looking !== null) {
      again = true;
      return;
    }
    looking = lookOnce()
      .catch((error: unknown) => log.warn({ err: error }, 'could not look for provider batches'))
      .finally(() => {
        looking = null;
        if (again) {
          again = false;
          look();
        }
      });
  }

  async function lookOnce(): Promise<void> {
    for (const key of await rescueInTime(sql)) await signals.send(key, 'work');
    await giveUp();
    while (steps.size < maxSteps && !stopping.signal.aborted) {
      const worker = workerId();
      if (worker === null) return;
      const busyOwners = listBusyOwners();
      const ids = [...steps].map(({ id }) => id);
      const held =
        (await holdProviderBatch(sql, { worker, id: null, ids, busyOwners })) ??
        (await plan(worker, busyOwners));
      if (!held) return;
      const { id, owner } = held;
      const done = run(held, worker).finally(() => {
        steps.delete(step);
        look();
      });
      const step: Step = { id, owner, done };
      steps.add(step);
    }
  }

  function listBusyOwners(): string[] {
    const counts = new Map<string, number>();
    for (const { owner } of steps) counts.set(owner, (counts.get(owner) ?? 0) + 1);
    return [...counts].flatMap(([owner, count]) => (count >= maxOwnerSteps ? [owner] : []));
  }

  async function plan(
    worker: string,
    busyOwners: readonly string[],
  ): Promise<HeldProviderBatch | null> {
    const id = newId('pbatch');
    const planned = await planProviderBatch(sql, {
      id,
      worker,
      maxChunks: maxRequests / chunkItems,
      maxRounds,
      busyOwners,
    });
    if (planned === null) return null;
    publisher.publish(planned);
    return await holdProviderBatch(sql, { worker, id });
  }

  /** What provider batches cannot get answered is called live where that is wanted, else it fails. */
  async function giveUp(): Promise<void> {
    for (const { key, rescue } of await listGivenUp(sql, maxRounds)) {
      if (rescue) {
        await rescueBatch(sql, key);
        await signals.send(key, 'work');
        continue;
      }
      await finishChunks(sql, {
        batchKey: key,
        status: 'FAILED',
        error: {
          code: 'PROVIDER_ERROR',
          message: `The provider left the item unanswered in ${maxRounds} batches`,
        },
        rounds: maxRounds,
      });
      publisher.publish(key);
    }
  }

  /** One step, from hold to release. Never rejects. */
  async function run(held: HeldProviderBatch, worker: string): Promise<void> {
    const mine = { ...held, worker };
    // Of the lease that the step began under.
    const { signal } = ended;
    try {
      await settle(mine, await outcomeOf(mine));
    } catch (error) {
      if (error instanceof HandsLost) return;
      const isOurs = error instanceof ModelError || stopping.signal.aborted || signal.aborted;
      if (!isOurs) log.warn({ err: error, providerBatch: held.id }, 'a step failed; trying again');
      await releaseProviderBatch(sql, mine, stopping.signal.aborted ? 0 : brokenStepMs).catch(
        () => undefined, // whoever comes when the lease has run out does the step again
      );
    }
  }

  async function outcomeOf(
    held: HeldProviderBatch & { worker: string },
  ): Promise<Outcome | 'park'> {
    if (held.ending === 'FAILED' && !held.unwanted) return 'park';
    if (held.parked && held.ending === null && !held.unwanted) await resumeProviderBatch(sql, held);
    const over: Outcome = { kind: 'end', status: held.status, round: false };
    if (held.unwanted && held.state === 'reading') return over;
    const found = await readBatchPlan(db, held.batchKey, { whatever: true });
    if (!found) return over;
    // The batch's own plan: by it a row that names no model, or another provider's, is read the same in every step.
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
      stopping: AbortSignal.any([stopping.signal, ended.signal]),
      ended: ended.signal,
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
  async function failureOf(
    held: HeldProviderBatch & { worker: string },
    { failure, message }: ModelError,
  ): Promise<Outcome> {
    const failures = held.failures + 1;
    if (held.unwanted && failures >= maxFailures) {
      return { kind: 'end', status: held.status, round: false };
    }
    if (failure.kind === 'item' && failures >= maxFailures) {
      log.warn(
        { providerBatch: held.id, reason: message },
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
      { providerBatch: held.id, reason: message },
      'the provider did not do a step; trying again',
    );
    const retryAfterMs = failure.kind === 'later' ? failure.retryAfterMs : null;
    return { kind: 'later', dueInMs: retryMs({ failures, retryAfterMs }, pollMs), why: message };
  }

  async function settle(
    held: HeldProviderBatch & { worker: string },
    outcome: Outcome | 'park',
  ): Promise<void> {
    if (outcome === 'park') {
      await parkProviderBatch(sql, held);
      await signals.send(held.batchKey, 'stop');
      return;
    }
    switch (outcome.kind) {
      case 'later':
        if (outcome.why) await explain(held, outcome.why, outcome.dueInMs);
        else failingSince.delete(held.id);
        await releaseProviderBatch(sql, held, outcome.dueInMs);
        if (outcome.dueInMs < lookMs) setTimeout(look, outcome.dueInMs).unref();
        return;
      case 'end':
        if (outcome.holdOff) await explain(held, outcome.holdOff.why, outcome.holdOff.ms);
        failingSince.delete(held.id);
        await endProviderBatch(sql, held, { holdOffMs: outcome.holdOff?.ms ?? 0, ...outcome });
        await signals.send(held.batchKey, held.rescued || held.rescue ? 'work' : 'progress');
        break;
      case 'stop': {
        const { code, message, over } = outcome;
        // Before its chunks are given back, or they would be planned again at once.
        if (await beginFailure(sql, held.batchKey, { code, message })) {
          log.warn({ batchKey: String(held.batchKey), code }, 'a batch was stopped');
        }
        if (over)
          await endProviderBatch(sql, held, { status: 'failed', round: false, holdOffMs: 0 });
        else await parkProviderBatch(sql, held);
        break;
      }
    }
    // Others may wait for the chunks: the end of the batch, or the next provider batch.
    await signals.send(held.batchKey, 'stop');
  }

  /** Says on the batch why it does not get on just now. */
  async function explain(held: HeldProviderBatch, reason: string, ms: number): Promise<void> {
    const now = Date.now();
    const since = failingSince.get(held.id) ?? new Date(now);
    failingSince.set(held.id, since);
    await noteWaiting(sql, held.batchKey, { reason, since, until: new Date(now + ms) });
    publisher.publish(held.batchKey);
  }

  return {
    async start() {
      await removeOldInputs(log);
      unsubscribe = signals.subscribe((hint) => {
        if (hint === null || hint.signal !== 'progress') look();
      });
      timer = setInterval(look, lookMs);
      look();
    },
    async stop(graceMs) {
      unsubscribe();
      if (timer) clearInterval(timer);
      stopping.abort(new Error('the process is to stop'));
      const hurry = setTimeout(() => ended.abort(new Error('the process stops now')), graceMs);
      await looking;
      await Promise.all([...steps].map(({ done }) => done));
      clearTimeout(hurry);
    },
    fence() {
      ended.abort(new Error('the lease was lost'));
      ended = new AbortController();
    },
  };
}

/** As many as any provider takes at once. */
const maxRequests = 100_000;
