/**
 * Runs batches as jobs at their provider's own batch API. One per process that works, under the
 * process's lease; any number of processes. Each step of a provider batch is one hold of
 * its row:
 *
 *   plan      open chunks of a batch become a provider batch (db/provider-batches.ts)
 *   prepare   its requests are written to a file, uploaded, and the job is created (input.ts,
 *             submit-job.ts)
 *   recover   a job that may exist, since a process died at its creation, is looked for before
 *             another is created
 *   follow    the provider is asked for its state, or to end it (follow-job.ts)
 *   read      what it answered is parsed, asked again live where invalid, and recorded
 *             (read-job.ts, repair-live.ts)
 *
 * What a provider batch leaves unanswered goes back to be open, for the next one, or for live calls
 * where the batch is rescued.
 */

import { newId } from '../../core/ids.ts';
import { createLooper } from '../../core/looper.ts';
import { listUsedUp, pauseForBudget } from '../../db/budgets.ts';
import { finishChunks } from '../../db/finish-chunks.ts';
import { pauseForOwner, readOwnerStanding } from '../../db/owner-limits.ts';
import { holdProviderBatch } from '../../db/provider-batch-hold.ts';
import { type ProviderJob, planProviderBatch } from '../../db/provider-batches.ts';
import { listGivenUp, rescueBatches } from '../../db/rescues.ts';
import { createPublisher } from '../live/publisher.ts';
import { whyOwnerUsedUp, whyUsedUp } from '../process/cost-limit.ts';
import { tellRecorded } from '../process/tell-recorded.ts';
import { removeOldInputs } from './input.ts';
import { createStep, type StepOptions } from './step.ts';

/** Looks for due steps this often; hints come sooner. */
const lookMs = 500;
/** Steps at once in one process: uploads and downloads, mostly. */
const maxSteps = 6;
/** Those of one owner: another's are not to wait until a day's results have been read. */
const maxOwnerSteps = 4;
/** Chunks of a provider batch, where retries or earlier jobs have left few open items in each. */
const maxChunks = 10_000;
/** Chunks of which provider batches have left items unanswered so often are given up. */
const maxRounds = 3;

export interface ProviderJobs {
  start(): Promise<void>;
  /**
   * Begins no step, lets what costs money finish for up to `graceMs`, and breaks off the rest.
   * Called again with a shorter grace it hurries up.
   */
  stop(graceMs: number): Promise<void>;
}

/** One that is under way. */
interface RunningStep {
  /** Id of its provider batch. */
  id: string;
  /** Whose batch it is. */
  owner: string;
  done: Promise<void>;
}

export function createProviderJobs(
  options: Pick<
    StepOptions,
    'db' | 'limits' | 'nudges' | 'preparePlan' | 'lease' | 'pollMs' | 'log' | 'events' | 'tracing'
  >,
): ProviderJobs {
  const { db, limits, nudges, lease, log, events } = options;
  const { sql } = db;
  const steps = new Set<RunningStep>();
  const publisher = createPublisher(nudges);
  const stopping = new AbortController();
  let ended = new AbortController();
  let timer: NodeJS.Timeout | null = null;
  let unsubscribe = () => undefined as unknown;
  let offLost = () => undefined as unknown;
  const take = createStep({
    ...options,
    publisher,
    stopping: stopping.signal,
    onDueIn(ms) {
      if (ms < lookMs) setTimeout(look, ms).unref();
    },
  });

  const looks = createLooper(lookOnce, (error) =>
    log.warn({ err: error }, 'could not look for provider batches'),
  );

  function look(): void {
    void looks.run(); // never rejects
  }

  async function lookOnce(): Promise<void> {
    for (const key of await rescueBatches(sql)) await nudges.send(key, 'work');
    await giveUp();
    await pauseUsedUp();
    while (steps.size < maxSteps && !stopping.signal.aborted) {
      const worker = lease.id();
      if (worker === null) return;
      const busyOwners = listBusyOwners();
      const ids = [...steps].map(({ id }) => id);
      const job =
        (await holdProviderBatch(sql, { worker, id: null, ids, busyOwners })) ??
        (await plan(worker, busyOwners));
      if (!job) return;
      const { id, owner } = job;
      const done = take(job, { worker, ended: ended.signal }).finally(() => {
        steps.delete(step);
        look();
      });
      const step: RunningStep = { id, owner, done };
      steps.add(step);
    }
  }

  function listBusyOwners(): string[] {
    const counts = new Map<string, number>();
    for (const { owner } of steps) counts.set(owner, (counts.get(owner) ?? 0) + 1);
    return [...counts].flatMap(([owner, count]) => (count >= maxOwnerSteps ? [owner] : []));
  }

  async function plan(worker: string, busyOwners: readonly string[]): Promise<ProviderJob | null> {
    const id = newId('pbatch');
    const planned = await planProviderBatch(sql, {
      id,
      worker,
      maxChunks,
      maxItems: maxRequests,
      maxRounds,
      busyOwners,
      limits,
    });
    if (planned === null) return null;
    const { batchKey, begun } = planned;
    publisher.publish(batchKey);
    if (begun) events.emit('batch.started', { batchKey });
    return await holdProviderBatch(sql, { worker, id });
  }

  /**
   * The rest that provider batches cannot get answered fails: the provider's window has nothing to
   * do with it, nor has a rescue.
   */
  async function giveUp(): Promise<void> {
    for (const key of await listGivenUp(sql, maxRounds)) {
      const written = await finishChunks(sql, {
        batchKey: key,
        status: 'FAILED',
        error: {
          code: 'PROVIDER_ERROR',
          message: `The provider left the item unanswered in ${maxRounds} batches`,
        },
        rounds: maxRounds,
      });
      tellRecorded(events, key, written);
      publisher.publish(key);
    }
  }

  function tellOfPause(batchKey: bigint, reason: string): void {
    events.emit('batch.paused', { batchKey, reason });
    publisher.publish(batchKey);
  }

  /** Batches with a limit, their own or their owner's, that leaves nothing for another job. */
  async function pauseUsedUp(): Promise<void> {
    for (const { key, owner, standing } of await listUsedUp(sql, limits)) {
      const message = whyUsedUp(standing);
      const { maxCostUsd } = standing;
      if (message !== null) {
        const paused = await pauseForBudget(sql, key, { maxCostUsd, message });
        if (paused) tellOfPause(key, 'BUDGET');
      } else {
        const month = await readOwnerStanding(sql, limits, owner);
        if (!month || month.heldUsd > 0) continue;
        const paused = await pauseForOwner(sql, key, whyOwnerUsedUp(owner, month));
        if (paused) tellOfPause(key, 'OWNER_BUDGET');
      }
    }
  }

  return {
    async start() {
      // Every step ends at once with the lease.
      offLost = lease.onLost(() => {
        ended.abort(new Error('the lease was lost'));
        ended = new AbortController();
      });
      await removeOldInputs(log);
      unsubscribe = nudges.subscribe((hint) => {
        if (hint === null || hint.nudge !== 'progress') look();
      });
      timer = setInterval(look, lookMs);
      look();
    },
    async stop(graceMs) {
      unsubscribe();
      if (timer) clearInterval(timer);
      stopping.abort(new Error('the process is to stop'));
      const hurry = setTimeout(() => ended.abort(new Error('the process stops now')), graceMs);
      await looks.stop();
      await Promise.all([...steps].map(({ done }) => done));
      clearTimeout(hurry);
      offLost();
    },
  };
}

/** As many as any provider takes at once. */
const maxRequests = 100_000;
