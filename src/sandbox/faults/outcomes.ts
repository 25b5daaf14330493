/** Outcomes of whole batches, on demand. */

import type { ResultFile } from '../wire/batch/results.ts';
import type { BatchFate, BatchProblem, ResultLines } from '../wire/equipment.ts';
import { rowOutcome } from './failures.ts';

export type Outcome =
  /** OpenAI: status failed, with these errors. Anthropic validates at once: the create is a 400. */
  | { kind: 'rejected'; problems?: readonly BatchProblem[] }
  /** So many rows leave no line at all; one when absent. */
  | { kind: 'missing_results'; count?: number }
  /** So many lines come twice. */
  | { kind: 'duplicate_results'; count?: number }
  /** So many lines have no custom_id. */
  | { kind: 'anonymous_results'; count?: number }
  /** So many lines for rows that were never asked for, `custom_id` "unasked-1" and on. */
  | { kind: 'foreign_results'; count?: number }
  /** So many lines are cut in half, and no JSON. */
  | { kind: 'garbled_results'; count?: number }
  /** Every row fails: there is an error file only. 400 when absent. */
  | { kind: 'all_errored'; status?: number }
  /** Expires when so many rows are answered. */
  | { kind: 'expired'; done: number }
  /** Is cancelled, by somebody else, when so many rows are answered. */
  | { kind: 'cancelled'; done: number }
  /** request_counts say this instead, under the provider's own names. */
  | { kind: 'wrong_counts'; counts: Readonly<Record<string, number>> }
  /** Anthropic: results_url leads elsewhere, where no key must be sent. */
  | { kind: 'foreign_results_url'; url: string }
  /**
   * A batch in progress says this status the first `looks` times that it is retrieved. Absent:
   * always.
   */
  | { kind: 'unknown_status'; status: string; looks?: number };

/** The fate by which a sandbox brings an outcome about. */
export function fateOf(outcome: Outcome): BatchFate {
  switch (outcome.kind) {
    case 'rejected':
      return { problems: outcome.problems ?? [rejectedLine] };
    case 'missing_results':
    case 'duplicate_results':
    case 'anonymous_results':
    case 'foreign_results':
    case 'garbled_results':
      return { lines: createLines(outcome) };
    case 'all_errored': {
      const fault = { kind: 'status', status: outcome.status ?? 400 } as const;
      return { row: (dialect) => rowOutcome(fault, dialect) };
    }
    case 'expired':
      return { stop: { stage: 'expired', done: outcome.done } };
    case 'cancelled':
      return { stop: { stage: 'cancelling', done: outcome.done } };
    case 'wrong_counts':
      return { shown: (batch) => withMore(batch, 'request_counts', outcome.counts) };
    case 'foreign_results_url':
      return {
        shown: (batch) =>
          'results_url' in batch && batch.results_url !== null
            ? { ...batch, results_url: outcome.url }
            : batch,
      };
    case 'unknown_status':
      return { shown: createLooks(outcome) };
    default: {
      const never: never = outcome;
      throw new TypeError(String(never));
    }
  }
}

const rejectedLine: BatchProblem = {
  code: 'invalid_json_line',
  line: 1,
  message: 'This line is not parseable as valid JSON.',
  param: null,
};

function withMore<T extends object>(batch: T, key: string, more: object): T {
  const own = (batch as Record<string, object>)[key];
  return { ...batch, [key]: { ...own, ...more } };
}

/** Counts how often the batch is retrieved. */
function createLooks({
  status,
  looks = Number.POSITIVE_INFINITY,
}: Extract<Outcome, { kind: 'unknown_status' }>): NonNullable<BatchFate['shown']> {
  let looked = 0;
  return (batch, isRetrieved) => {
    if (!isRetrieved || ++looked > looks) return batch;
    return { ...batch, ['processing_status' in batch ? 'processing_status' : 'status']: status };
  };
}

type SpoiledLines = Extract<Outcome, { kind: `${string}_results` }>;

function createLines({ kind, count = 1 }: SpoiledLines): ResultLines {
  const behind: [ResultFile, string][] = [];
  let left = count;
  let sample: object | null = null;
  return {
    add(file, line) {
      sample ??= line;
      const text = JSON.stringify(line);
      if (left === 0) return [text];
      left--;
      switch (kind) {
        case 'missing_results':
          return [];
        case 'duplicate_results':
          behind.push([file, text]);
          return [text];
        case 'anonymous_results':
          return [JSON.stringify({ ...line, custom_id: undefined })];
        case 'garbled_results':
          return [text.slice(0, Math.ceil(text.length / 2))];
        case 'foreign_results':
          return [text];
        default: {
          const never: never = kind;
          throw new TypeError(String(never));
        }
      }
    },
    finish() {
      if (kind !== 'foreign_results' || sample === null) return behind;
      return Array.from({ length: count }, (_, i) => [
        'output',
        JSON.stringify({ ...sample, custom_id: `unasked-${i + 1}` }),
      ]);
    },
  };
}
