/**
 * The state of a batch, in a word and a sentence, and the likeliest next step: the list and the
 * page of a batch say the same.
 */
import type { StateBatch } from '../data/batch-fields.ts';
import { type ItemErrorCode, itemErrors, retryableOf } from './item-error.ts';
import { count, duration, many, percent, perSecond, type Times, usd } from './numbers.ts';
import { providerName } from './provider.ts';
import { oneLine } from './text.ts';

/**
 * The button's step: `raise` asks for a higher limit and `resume` goes on (`resumeBatch`), `retry`
 * puts back what has no answer (`retryBatch`), `start` is for a draft (`startBatch`).
 */
export type BatchStep = 'raise' | 'resume' | 'retry' | 'start';

export interface BatchState {
  /** Classes of the word: how it looks. */
  look: 'run' | 'run hold' | 'hold' | 'ok' | 'bad' | 'rest';
  word: string;
  /** One line; empty where the word says it all. */
  sentence: string;
  button: {
    step: BatchStep;
    label: string;
    /** Codes that are retried; absent: all that has no answer. */
    errorCodes?: ItemErrorCode[];
  } | null;
}

/** A provider's batch API answers within this time. */
const providerMs = 24 * 3_600_000;
/** A batch whose time ran out is asked the rest; one that was cancelled goes on. */
const goOn = { step: 'retry', label: 'Go on' } as const;

export function hasEnded({ status }: Pick<StateBatch, 'status'>): boolean {
  return ['COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED'].includes(status);
}

/** Seconds in which an ended batch ran, pauses left out; null where none was answered. */
export function workedSeconds(batch: StateBatch): number | null {
  const { counts, itemsPerSecond } = batch;
  if (!hasEnded(batch) || !itemsPerSecond) return null;
  return (counts.succeeded + counts.failed) / itemsPerSecond;
}

/**
 * Time that the rest takes, in words; null where that is unknown. By the pace: the clock of this
 * machine need not be that of the server.
 */
export function timeLeft({
  counts,
  itemsPerSecond,
  estimatedCompletionAt,
}: StateBatch): string | null {
  if (!estimatedCompletionAt || !itemsPerSecond) return null;
  const seconds = (counts.pending + counts.processing) / itemsPerSecond;
  // Without seconds above a minute, which an estimate does not know.
  return duration(seconds < 60 ? Math.max(1, seconds) : Math.round(seconds / 60) * 60);
}

/** Rows that a preview has asked, and others that have the answer of one like them. */
export function triedOf({ counts, previewItems }: StateBatch): { tried: number; copied: number } {
  const answered = counts.succeeded + counts.failed;
  const tried = Math.min(answered, previewItems ?? answered);
  return { tried, copied: answered - tried };
}

/** `workers`: how many processes work on batches; null while that is not known. */
export function stateOf(
  batch: StateBatch,
  known: { times: Times; workers: number | null },
): BatchState {
  const state = stateWithButton(batch, known);
  // Nothing is left that could be asked.
  return batch.contentDeletedAt === null ? state : { ...state, button: null };
}

function stateWithButton(
  batch: StateBatch,
  { times, workers }: { times: Times; workers: number | null },
): BatchState {
  switch (batch.status) {
    case 'QUEUED':
      return queued(workers);
    case 'PROCESSING':
      return processing(batch, times);
    case 'PAUSED':
      return paused(batch, times);
    case 'COMPLETED':
      return completed(batch);
    case 'FAILED':
      return {
        look: 'bad',
        word: 'Stopped',
        sentence: oneLine(batch.error ?? 'the reason is unknown'),
        button: { step: 'retry', label: 'Retry' },
      };
    case 'CANCELLING':
      return {
        look: 'rest',
        word: 'Stops',
        sentence:
          batch.execution === 'LIVE'
            ? 'calls under way are ended'
            : `waits for ${providerName(batch.model)} to confirm`,
        button: null,
      };
    case 'CANCELLED':
      return { look: 'rest', word: 'Cancelled', sentence: kept(batch), button: goOn };
    case 'EXPIRED':
      return { look: 'rest', word: 'Out of time', sentence: notReached(batch), button: goOn };
    case 'DRAFT':
      return {
        look: 'rest',
        word: 'Draft',
        sentence: 'not started',
        button: { step: 'start', label: 'Start' },
      };
  }
}

function queued(workers: number | null): BatchState {
  if (workers === 0) {
    return {
      look: 'bad',
      word: 'No worker',
      sentence: 'Nothing works on batches: start a process with ROLE=worker or all',
      button: null,
    };
  }
  return { look: 'rest', word: 'Waits its turn', sentence: 'not begun yet', button: null };
}

function processing(batch: StateBatch, times: Times): BatchState {
  const { waiting, execution, model, providerBatches } = batch;
  if (waiting) {
    // The time comes first: a list shows the beginning of the sentence.
    const until = waiting.until ? `goes on at ${times.clock(waiting.until, true)}` : null;
    return {
      look: 'run hold',
      word: `Waits for ${providerName(model)}`,
      sentence: [until, oneLine(waiting.reason)].filter(Boolean).join('; '),
      button: null,
    };
  }
  // A preview is called live in either lane, and so is what the jobs left undone.
  const atProvider = execution === 'PROVIDER_BATCH' && batch.rescuedAt === null;
  if (atProvider && (providerBatches.length > 0 || batch.previewItems === null)) {
    const name = providerName(model);
    return {
      look: 'run',
      word: `At ${name}${/s$/.test(name) ? '’' : '’s'} batch API`,
      sentence: jobs(batch, times),
      button: null,
    };
  }
  return { look: 'run', word: 'Processing', sentence: pace(batch), button: null };
}

function pace(batch: StateBatch): string {
  const { itemsPerSecond } = batch;
  if (itemsPerSecond === null) return 'no answer yet';
  if (itemsPerSecond === 0) return 'no answer in the last 10 s';
  const left = timeLeft(batch);
  return left === null
    ? perSecond(itemsPerSecond)
    : `${perSecond(itemsPerSecond)}, about ${left} left`;
}

function jobs({ providerBatches, expiresAt }: StateBatch, times: Times): string {
  const all = providerBatches.length;
  if (all === 0) return 'the first job is being made';
  const open = providerBatches.filter(({ endedAt }) => endedAt === null);
  if (open.length === 0) return all === 1 ? 'the job is back' : `all ${count(all)} jobs are back`;
  const latest = Math.max(...open.map(({ createdAt }) => Date.parse(createdAt)));
  const due = Math.min(latest + providerMs, Date.parse(expiresAt));
  const by = `by ${times.soon(new Date(due).toISOString())}`;
  if (all === 1) return `1 job, back ${by}`;
  return `${count(all - open.length)} of ${count(all)} jobs are back, the rest ${by}`;
}

function paused(batch: StateBatch, times: Times): BatchState {
  const { pause, usage, maxCostUsd } = batch;
  switch (pause?.reason) {
    case 'BUDGET':
      return {
        look: 'hold',
        word: 'Paused: budget',
        sentence:
          usage.costUsd === null || maxCostUsd === null
            ? oneLine(pause.message)
            : `${usd(usage.costUsd)} of ${usd(maxCostUsd)} spent`,
        button: { step: 'raise', label: 'Raise the limit' },
      };
    case 'OWNER_BUDGET':
      return {
        look: 'hold',
        word: 'Paused: this month’s budget',
        sentence: pause.resumesAt
          ? `goes on ${times.later(pause.resumesAt)}`
          : oneLine(pause.message),
        button: null,
      };
    case 'PREVIEW':
      return {
        look: 'hold',
        word: 'Preview is through',
        sentence: tried(batch),
        button: { step: 'resume', label: 'Run the rest' },
      };
    default:
      return {
        look: 'hold',
        word: 'Paused',
        sentence: pause ? `since ${times.day(pause.since)}` : '',
        button: { step: 'resume', label: 'Go on' },
      };
  }
}

function tried(batch: StateBatch): string {
  const { tried, copied } = triedOf(batch);
  if (tried === 0) return 'nothing was answered';
  const share = percent(batch.counts.succeeded / (tried + copied), 0);
  return `${count(tried)} tried, ${share} succeeded`;
}

function completed(batch: StateBatch): BatchState {
  const { counts, errorSummary } = batch;
  const [reason] = errorSummary;
  const { items, errorCodes } = retryableOf(batch);
  const button =
    items > 0 ? ({ step: 'retry', label: `Retry ${count(items)}`, errorCodes } as const) : null;
  if (counts.failed === counts.total && counts.total > 0) {
    return {
      look: 'bad',
      word: counts.total === 1 ? 'The only row failed' : `All ${count(counts.total)} failed`,
      sentence: reason ? oneLine(reason.message) : '',
      button,
    };
  }
  const why = reason ? `${mostOf(reason.count, counts.failed)}: ${itemErrors[reason.code]}` : '';
  return {
    look: 'ok',
    word: 'Completed',
    sentence: [took(batch), why].filter(Boolean).join('; '),
    button,
  };
}

function mostOf(most: number, all: number): string {
  if (most === all) return 'failed';
  return 2 * most > all ? 'most that failed' : 'some that failed';
}

function took(batch: StateBatch): string {
  const seconds = workedSeconds(batch);
  return seconds === null ? '' : `in ${duration(seconds)}`;
}

function kept({ counts }: StateBatch): string {
  const answers = counts.succeeded;
  if (answers === 0) return 'nothing was answered';
  return `${many(answers, 'answer')} ${answers === 1 ? 'is' : 'are'} kept`;
}

function notReached({ counts, createdAt, expiresAt }: StateBatch): string {
  const seconds = (Date.parse(expiresAt) - Date.parse(createdAt)) / 1_000;
  return `${count(counts.expired)} not reached in ${duration(Math.round(seconds))}`;
}
