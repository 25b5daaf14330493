/** Reads values of answers of providers, trusting none of them. */

import { parseKeepingNumbers } from '../core/exact-json.ts';
import { isRecord, type JsonRecord, recordsOf } from '../core/json.ts';
import type { Tokens } from '../core/usage.ts';
import { ModelError } from './model-error.ts';

const noBill = { tokens: null, costUsd: null };

/** The ModelError for an answer that makes no sense; the same request may succeed later. */
export function unusable(
  message: string,
  billed: { tokens: Tokens | null; costUsd: number | null; isFree?: boolean } = noBill,
): ModelError {
  return new ModelError(
    { kind: 'later', code: 'PROVIDER_ERROR', retryAfterMs: null, counts: true },
    message,
    billed,
  );
}

/** The value of an answer's JSON; null where it is too long to be read (null), or not JSON. */
export function parseAnswer(text: string | null, { whole }: { whole: boolean }): unknown {
  try {
    if (text === null) return null;
    // A whole answer is passed on: its numbers stay as they came.
    return whole ? parseKeepingNumbers(text) : JSON.parse(text);
  } catch {
    return null;
  }
}

/** A whole number above 0; 0 for any other value. */
export function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

/** The largest time that a Date holds, in seconds. */
const maxSeconds = 8.64e12;

/** A time as seconds since 1970 or as a date in words; null for any other value. */
export function readTime(time: unknown): Date | null {
  if (typeof time === 'number' && time > 0 && time < maxSeconds) return new Date(time * 1_000);
  const ms = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  return Number.isNaN(ms) ? null : new Date(ms);
}

/** An id that may stand in a path and in the database; null for any other value. */
export function readId(id: unknown): string | null {
  return typeof id === 'string' && /^(?!\.{1,2}$)[\x21-\x7e]{1,512}$/.test(id) ? id : null;
}

/** Time that the provider's clock may be behind this one. */
const skewMs = 10 * 60_000;
const pageSize = 100;
/** Ten thousand jobs since the lost one; no list of the last minutes has more. */
const maxPages = 100;

interface PageQuery {
  limit: number;
  /** The id of the last job of the page before; undefined for the first page. */
  after: string | undefined;
}

/** A provider's list of its jobs. */
export interface JobList {
  /** Named in messages. */
  provider: string;
  /** One page, newest first as a rule. */
  page(query: PageQuery): Promise<unknown>;
}

/**
 * Shows `look` the jobs of a provider, page by page, newest first as a rule, until it returns one.
 * `isOlder`: the job was created before `since`. Null at the end of the list, which is a page that
 * ends with an older job; `unsure` where the list is too long.
 */
export async function searchJobs<T>(
  { provider, page, since }: JobList & { since: Date },
  look: (job: JsonRecord, isOlder: boolean) => Promise<T | null> | T | null,
): Promise<T | 'unsure' | null> {
  const oldest = since.getTime() - skewMs;
  let after: string | undefined;
  for (let pages = 0; pages < maxPages; pages += 1) {
    const answer = await page({ limit: pageSize, after });
    if (!isRecord(answer) || !Array.isArray(answer.data)) {
      throw unusable(`${provider} returned an invalid list of batches.`);
    }
    const jobs = recordsOf(answer.data);
    const times = jobs.map(({ created_at: time }) => readTime(time)?.getTime() ?? null);
    for (const [index, job] of jobs.entries()) {
      const found = await look(job, (times[index] ?? oldest) < oldest);
      if (found !== null) return found;
    }
    const last = readId(jobs.at(-1)?.id);
    const isEnd = answer.has_more !== true || last === null || last === after;
    if (isEnd || endsBefore(oldest, times)) return null;
    after = last;
  }
  return 'unsure';
}

/**
 * True where a page ends with a job older than `oldest`; false where the oldest is listed first.
 */
function endsBefore(oldest: number, times: readonly (number | null)[]): boolean {
  const [first, last] = [times.at(0) ?? null, times.at(-1) ?? null];
  return first !== null && last !== null && last < oldest && first >= last;
}
