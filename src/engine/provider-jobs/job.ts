/** A provider job in a worker's hands, and what its steps share. */

import type { BatchErrorCode } from '../../core/errors.ts';
import type { Log } from '../../core/log.ts';
import { isUnpriced } from '../../core/usage.ts';
import type { BatchPlan } from '../../db/batch-plans.ts';
import { pauseForBudget } from '../../db/budgets.ts';
import type { Database } from '../../db/driver/client.ts';
import type { OwnerLimits } from '../../db/owner-limits.ts';
import { readWanted } from '../../db/provider-batch-hold.ts';
import {
  changeProviderBatch,
  type ProviderBatchChange,
  type ProviderJob,
} from '../../db/provider-batches.ts';
import { type NewResult, type Recorded, recordResults } from '../../db/results.ts';
import type { DecodedRow } from '../../files/decoded-row.ts';
import type { RowFile } from '../../files/row.ts';
import type { BatchApi, Job } from '../../model/batch-api.ts';
import type { CallOrigin, Telling } from '../../telemetry/events.ts';
import { copyTwins } from '../process/copy-twins.ts';
import { unknownPrice } from '../process/cost-limit.ts';
import { tellRecorded, withEarlier } from '../process/tell-recorded.ts';
import { beginCaching } from '../run/caching.ts';
import type { Plan } from '../run/plan.ts';
import type { LearnedLimits } from './learned-limits.ts';

/** One step of a provider job, with all that it works by. */
export interface JobStep {
  /** As the row says. */
  job: ProviderJob;
  origin: CallOrigin;
  /** The worker that does the step. */
  worker: string;
  plan: Plan;
  /**
   * Facts on its batch: whether prompts are marked for the provider's cache, and how many are
   * asked.
   */
  caching: Pick<BatchPlan, 'promptCaching' | 'total' | 'twins'>;
  /** The file that the rows of the batch are read by. */
  file: RowFile;
  fileKey: bigint;
  /** Some items of the batch take the answers of others. */
  hasTwins: boolean;
  /** USD that the batch may cost; null without a limit. */
  maxCostUsd: number | null;
  /** Owners' limits of spending in a month. */
  limits: OwnerLimits;
  /** Batch API of the model that its requests go to. */
  api: BatchApi;
  db: Database;
  log: Log;
  events: Telling;
  learned: Learned;
  /** True where the step's lease still runs: a process that was stopped may have lost it. */
  isOurs: () => boolean;
  /** Aborted as soon as the process is told to stop. For what can be broken off at no cost. */
  stopping: AbortSignal;
  /** Aborted at the end of the grace, and when the lease is lost. For what costs something. */
  ended: AbortSignal;
  pollMs: number | null;
  /** The counts of the batch, or what its provider says of it, have changed. */
  publish: () => void;
}

/** Limits that this process has learned of from inputs that were too large. */
export interface Learned {
  /** Bytes, by provider. */
  bytes: LearnedLimits;
  /** Requests, by the id of the model: each has a queue of its own at its provider. */
  requests: LearnedLimits;
}

/** The outcome of a step. */
export type StepOutcome =
  /** The next step is due in so many milliseconds; `why`: what held this one up, for people. */
  | { kind: 'later'; dueInMs: number; why?: string }
  /** It is over. `round`: it was tried. */
  | { kind: 'end'; status: string; round: boolean }
  /** No item would succeed: the batch stops. `over`: a resumed one makes another job. */
  | { kind: 'stop'; code: BatchErrorCode; message: string; over: boolean };

/** Another worker has the provider batch by now: this one writes nothing more. */
export class HandsLost extends Error {
  override readonly name = 'HandsLost';
}

/** Whose API has the job, as its model's id begins. */
export function providerOf({ model }: { model: string }): string {
  return model.slice(0, model.indexOf('/'));
}

/** Writes down what the step found out. */
export async function change(step: JobStep, change: ProviderBatchChange): Promise<void> {
  const { job, worker, db } = step;
  if (!(await changeProviderBatch(db, { key: job.key, worker }, change))) {
    throw new HandsLost(`provider batch ${job.id} is in other hands`);
  }
  Object.assign(job, change);
}

/**
 * A job's state at its provider, as far as columns can hold it: what a provider says must not keep
 * its job from being written down.
 */
export function changeOf({ providerId, status, counts, results, expiresAt }: Job) {
  return {
    providerId,
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are taken out
    status: status.replace(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, maxStatusChars),
    ...countsOf(counts),
    results,
    // Milliseconds that were sent for seconds are a year of five digits, which Postgres
    // refuses.
    expiresAt: expiresAt && expiresAt >= firstTime && expiresAt <= lastTime ? expiresAt : null,
  };
}

const firstTime = new Date(0);
const lastTime = new Date('9999-12-31T00:00:00Z');

const maxStatusChars = 100;
/** A column holds no more, and a provider may say anything. */
const maxCount = 2 ** 31 - 1;

function countsOf(counts: Job['counts']): Job['counts'] {
  const clean = (count: number) =>
    Number.isFinite(count) ? Math.min(maxCount, Math.max(0, Math.trunc(count))) : 0;
  return {
    succeeded: clean(counts.succeeded),
    failed: clean(counts.failed),
    cancelled: clean(counts.cancelled),
    expired: clean(counts.expired),
  };
}

/** Why a provider batch is to end before its time; null while it is not. */
export function endWanted({ job }: JobStep): 'ending' | 'rescue' | null {
  if (job.ending !== null || job.unwanted) return 'ending';
  return job.rescued ? 'rescue' : null;
}

/**
 * Deletes the upload that no job will take. Nobody waits for that: one that stays is dropped by its
 * provider in time. A row that goes on has to have forgotten it before, or the step done
 * again would create a job from it.
 */
export function discardInput(
  { job, api, stopping, log }: JobStep,
  inputId: string | null = job.inputId,
): void {
  if (inputId === null) return;
  api.discard(inputId, stopping).catch((error: unknown) => {
    log.debug(
      { err: error, batchId: job.batchId, providerBatch: job.id },
      'an input stays at its provider',
    );
  });
}

/** As `endWanted`, as of now: what a long step began with may be long past. */
export async function endWantedNow(step: JobStep): Promise<ReturnType<typeof endWanted>> {
  Object.assign(step.job, await readWanted(step.db.sql, step.job.batchKey));
  return endWanted(step);
}

/** Gives twins what stands for these items, or for all; null where there is nothing to give. */
export async function recordTwins(
  { job, db, hasTwins, publish }: JobStep,
  leaders: readonly number[] | null,
): Promise<Recorded | null> {
  if (!hasTwins) return null;
  return await copyTwins(db.sql, { batchKey: job.batchKey, leaders }, publish);
}

/** Records results of items that the provider batch holds, and tells of it. */
export async function record(step: JobStep, results: readonly NewResult[]): Promise<void> {
  if (results.length === 0) return;
  const { job, plan, db, maxCostUsd, publish, events } = step;
  const { batchKey, id: worker } = job;
  const own = await recordResults(db.sql, {
    batchKey,
    worker,
    execution: 'PROVIDER_BATCH',
    results:
      job.model === plan.model.id ? results : results.map((one) => ({ ...one, model: job.model })),
  });
  const leaders = results.map(({ index }) => index);
  const copied = own && (await recordTwins(step, leaders));
  const recorded = own && copied ? withEarlier(copied, own) : own;
  if (maxCostUsd !== null && results.some(({ usage }) => isUnpriced(usage))) {
    const pause = { maxCostUsd, message: unknownPrice('an answer'), whileHeld: true };
    if (await pauseForBudget(db.sql, batchKey, pause)) {
      events.emit('batch.paused', { batchKey, reason: 'BUDGET' });
    }
  }
  if (recorded) events.emit('result.recorded', { batchKey, results: recorded.recorded });
  tellRecorded(events, batchKey, recorded, { lane: 'provider_batch' });
  publish();
}

/** Decides where that is open, by one row, whether the prompts of the step are marked. */
export function beginJobCaching(
  { plan, caching: { promptCaching, total, twins } }: JobStep,
  row: DecodedRow,
): Promise<void> | undefined {
  // Nobody waits in a job: nothing goes first.
  return beginCaching(plan, [row], { asked: promptCaching, items: total - twins, atOnce: 1 });
}
