/** The expected cost and time of a whole batch, from its answers so far. */
import { BadUserInput } from '../core/errors.ts';
import { isUnpriced, noTokens } from '../core/usage.ts';
import { type AnswerSample, readAnswerSample } from '../db/answer-sample.ts';
import type { BatchRecord } from '../db/batches.ts';
import type { Database } from '../db/driver/client.ts';
import { finishedItems, itemsPerSecond, workedSeconds } from '../engine/live/pace.ts';
import type { Estimate } from '../engine/quote/estimate.ts';
import type { ModelLimits } from '../model/connections.ts';
import type { Providers } from '../model/providers.ts';

export interface Projection {
  /** Answers that it rests on. */
  answers: number;
  /** Share of all answers that succeeded. */
  succeeded: number;
  /** USD of the whole batch in its own lane, what was spent included; null where unknown. */
  costUsd: Estimate | null;
  liveUsd: Estimate | null;
  providerBatchUsd: Estimate | null;
  /** For the items that are left. */
  liveSeconds: Estimate | null;
}

/** Fewer answers say too little. */
const minAnswers = 10;
/** Standard errors that 19 of 20 values lie within. */
const errors = 1.96;
/** The pace of some calls tells that of many others within this factor. */
const paceFactor = 1.5;

interface Needs {
  db: Database;
  providers: Pick<Providers, 'limits' | 'prices' | 'resolve'>;
  /** Calls that run at once in a process. */
  concurrency: number;
}

/** Null before 10 answers have succeeded. */
export async function projectBatch(
  { db, providers, concurrency }: Needs,
  batch: BatchRecord,
): Promise<Projection | null> {
  const { succeeded, failed, costUsd, execution, rescuedAt, previewItems } = batch;
  if (succeeded < minAnswers) return null;
  const batchShare = batchShareOf(providers, batch.model);
  const read = async (ofPreview: boolean) =>
    await readAnswerSample(db.sql, batch.key, { ofPreview, batchShare: batchShare ?? 1 });
  const preview = previewItems === null ? null : await read(true);
  const isPreview = preview !== null && preview.answers >= minAnswers;
  const sample = isPreview ? preview : await read(false);
  if (!sample || sample.answers < minAnswers) return null;
  const left = itemsLeft(batch);
  const at = (share: number | null) =>
    share === null || isUnpriced(batch)
      ? null
      : costOf({ spentUsd: costUsd ?? 0, left, sample, share });
  const liveUsd = at(1);
  const providerBatchUsd = at(hasBatchApi(providers, batch) ? batchShare : null);
  return {
    answers: sample.answers,
    succeeded: succeeded / (succeeded + failed),
    costUsd: execution === 'LIVE' || rescuedAt ? liveUsd : providerBatchUsd,
    liveUsd,
    providerBatchUsd,
    liveSeconds: secondsFor(
      left,
      paceOf(batch, { sample, isPreview, limits: limitsOf(providers, batch.model, concurrency) }),
    ),
  };
}

/** Items that are asked and have no answer yet: twins take those of others. */
function itemsLeft(batch: BatchRecord): number {
  return batch.total - batch.twins - (finishedItems(batch) - batch.twinsRecorded);
}

/** Null where the price of an answer is unknown. `share`: of the live price. */
function costOf({
  spentUsd,
  left,
  sample: { answers, meanUsd, sdUsd },
  share,
}: {
  spentUsd: number;
  left: number;
  sample: AnswerSample;
  share: number;
}): Estimate | null {
  if (meanUsd === null || sdUsd === null) return null;
  const rest = left * meanUsd * share;
  // Of a finite number of items: nothing is uncertain once all have their answers.
  const error = errors * sdUsd * share * Math.sqrt((left * (left + answers)) / answers);
  return {
    expected: spentUsd + rest,
    low: spentUsd + Math.max(0, rest - error),
    high: spentUsd + rest + error,
  };
}

/** `concurrency`: of a process for all models. */
function limitsOf({ limits }: Needs['providers'], model: string, concurrency: number): ModelLimits {
  const own = limits(model);
  return { ...own, maxConcurrency: Math.min(own?.maxConcurrency ?? concurrency, concurrency) };
}

/** Items a second that live calls answer; null where that is unknown. */
function paceOf(
  batch: BatchRecord,
  {
    sample: { answers, lastAt, meanRequests, meanTokens },
    isPreview,
    limits: { maxConcurrency, requestsPerMinute, tokensPerMinute },
  }: { sample: AnswerSample; isPreview: boolean; limits: ModelLimits },
): number | null {
  const { status, startedAt, execution, idleSeconds, previewResumedAt } = batch;
  const isLive = execution === 'LIVE' || batch.rescuedAt !== null;
  if (isLive && status === 'PROCESSING') return itemsPerSecond(batch);
  if (!startedAt || !(isPreview || execution === 'LIVE')) return null;
  // The preview alone says of a batch API how quick live calls are.
  const ofPreview = isPreview && (execution !== 'LIVE' || previewResumedAt === null);
  const timed = ofPreview ? answers : finishedItems(batch) - batch.twinsRecorded;
  const previewSeconds = (lastAt.getTime() - startedAt.getTime()) / 1000;
  // Once the preview is over, the time in which it was paused is what `idleSeconds` begins with.
  const idle = previewResumedAt === null ? idleSeconds : 0;
  const seconds = ofPreview ? previewSeconds - idle : workedSeconds(batch);
  if (seconds <= 0 || timed === 0) return null;
  return Math.min(
    // Fewer items than may be under way at once leave places empty.
    (timed / seconds) * Math.max(1, maxConcurrency / timed),
    perSecond(requestsPerMinute, meanRequests),
    perSecond(tokensPerMinute, meanTokens),
  );
}

/** Items for which a limit per minute suffices, where each takes so much of it. */
function perSecond(perMinute: number | undefined, each: number): number {
  return perMinute === undefined || each === 0 ? Number.POSITIVE_INFINITY : perMinute / 60 / each;
}

function secondsFor(left: number, pace: number | null): Estimate | null {
  if (left === 0) return { expected: 0, low: 0, high: 0 };
  if (pace === null || pace < 1e-6) return null;
  const expected = left / pace;
  return { expected, low: expected / paceFactor, high: expected * paceFactor };
}

/** Share of the live price that the provider's batch API takes; null where that is unknown. */
function batchShareOf({ prices }: Needs['providers'], model: string): number | null {
  const tokens = { ...noTokens, inputTokens: 1_000, outputTokens: 1_000 };
  const { live, batch } = prices(model);
  const [whole, part] = [live.costUsd(tokens), batch.costUsd(tokens)];
  return whole === null || part === null || whole === 0 ? null : part / whole;
}

function hasBatchApi(
  { resolve }: Needs['providers'],
  { model, execution }: Pick<BatchRecord, 'model' | 'execution'>,
): boolean {
  if (execution === 'PROVIDER_BATCH') return true;
  try {
    return resolve(model).batches !== null;
  } catch (error) {
    if (error instanceof BadUserInput) return false;
    throw error;
  }
}
