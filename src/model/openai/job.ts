/**
 * A batch of OpenAI's Batch API as a Job. Source:
 * https://platform.openai.com/docs/api-reference/batch/object. Everything in it is from outside:
 * types are checked, numbers are made plausible, words are cut to what may be shown.
 */

import { isRecord } from '../../core/json.ts';
import type { Job, JobProblem } from '../batch-api.ts';
import { count, readId, readTime, unusable } from '../read.ts';

/** Where an ended batch's results are: file ids, null where such a file is missing. */
export interface ResultFiles {
  output: string | null;
  errors: string | null;
}

const maxProblems = 100;
/** Throws a ModelError of the kind `later` for a proxy's page or an answer cut short. */
export function readJob(
  batch: unknown,
  { provider, quote }: { provider: string; quote: (message: string) => string },
): Job {
  const providerId = isRecord(batch) ? readId(batch.id) : null;
  if (!isRecord(batch) || providerId === null || typeof batch.status !== 'string') {
    throw unusable(`${provider} returned an invalid batch object.`);
  }
  const files = { output: readId(batch.output_file_id), errors: readId(batch.error_file_id) };
  const hasFiles = files.output !== null || files.errors !== null;
  const phase = phaseOf(batch.status, hasFiles);
  const problems = readProblems(batch.errors, quote);
  return {
    providerId,
    status: quote(batch.status) || 'unknown',
    phase,
    counts: readCounts(batch.request_counts, phase),
    expiresAt: readTime(batch.expires_at),
    // Where it has ended without a file, there is nothing to read, which is a result too.
    results: phase === 'working' || phase === 'rejected' ? null : JSON.stringify(files),
    problems:
      phase === 'rejected' && problems.length === 0
        ? [{ code: null, message: `${provider} gave no reason.`, line: null }]
        : problems,
  };
}

/** The files that `readJob` wrote. */
export function readResultFiles(results: string): ResultFiles {
  const files: unknown = JSON.parse(results);
  if (!isRecord(files)) throw new TypeError('These are no results of an OpenAI batch.');
  return { output: readId(files.output), errors: readId(files.errors) };
}

/** A batch that failed after a part was done is one with results, however its provider calls it. */
function phaseOf(status: string, hasFiles: boolean): Job['phase'] {
  // Some servers shout.
  const known = status.toLowerCase();
  switch (known) {
    case 'completed':
    case 'expired':
    case 'cancelled':
      return known;
    case 'canceled':
      return 'cancelled';
    case 'failed':
      return hasFiles ? 'completed' : 'rejected';
    default:
      return 'working';
  }
}

/** OpenAI counts no requests as expired or cancelled: they are those left in the end. */
function readCounts(counts: unknown, phase: Job['phase']): Job['counts'] {
  const { total, completed, failed } = isRecord(counts) ? counts : {};
  const [succeeded, wrong] = [count(completed), count(failed)];
  const left = Math.max(0, count(total) - succeeded - wrong);
  return {
    succeeded,
    failed: wrong,
    cancelled: phase === 'cancelled' ? left : 0,
    expired: phase === 'expired' ? left : 0,
  };
}

/** From `{data: [{code, line, message}]}`, or the one sentence that some servers send. */
function readProblems(errors: unknown, quote: (message: string) => string): JobProblem[] {
  if (typeof errors === 'string' && errors !== '') {
    return [{ code: null, message: quote(errors), line: null }];
  }
  const list = isRecord(errors) ? errors.data : errors;
  if (!Array.isArray(list)) return [];
  return list
    .filter(isRecord)
    .slice(0, maxProblems)
    .map(({ code, message, line }) => {
      const words = typeof message === 'string' ? quote(message) : '';
      const name = typeof code === 'string' ? quote(code) : '';
      return {
        code: name || null,
        message: words || name || 'The provider gave no reason.',
        line: count(line) || null,
      };
    });
}
