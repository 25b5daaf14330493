/** While the provider works: look, tell, and end it where it is to end. */
import { readHeldChunks, readUnanswered, rescueBatch } from '../db/provider-batches.ts';
import { type NewResult, recordResults } from '../db/results.ts';
import type { BatchErrorCode } from '../errors.ts';
import type { Job, JobProblem } from '../model/batch-api.ts';
import { chunkOf } from './chunk-of.ts';
import { change, changeOf, endWanted, type HeldJob, type Outcome } from './job.ts';
import { readJob } from './read-job.ts';
import { nextPollMs } from './timing.ts';

/** Batches of one owner at a provider may have so many tokens waiting; what was too much is tried again after this. */
const tooMuchHoldOffMs = 5 * 60_000;

/** No provider works on a job for longer: one that has not confirmed its end by then never will. */
const maxEndingMs = 24 * 60 * 60_000;

/** The step of state `working`. */
export async function followJob(job: HeldJob): Promise<Outcome> {
  const { held, pollMs, log } = job;
  const before = JSON.stringify([held.status, held.succeeded, held.failed]);
  const found = await look(job);
  if (held.unwanted) return { kind: 'end', status: found.status, round: false };
  await change(job, { failures: 0, ...changeOf(found) });
  if (before !== JSON.stringify([held.status, held.succeeded, held.failed])) job.publish();
  switch (found.phase) {
    case 'working':
      if (held.cancelledAt && held.now.getTime() - held.cancelledAt.getTime() > maxEndingMs) {
        log.warn({ providerBatch: held.id }, 'a provider never confirmed the end of a job');
        return { kind: 'end', status: held.status, round: false };
      }
      return {
        kind: 'later',
        dueInMs: nextPollMs(held.now.getTime() - held.createdAt.getTime(), pollMs),
      };
    case 'rejected':
      return await takeBack(job, found.problems);
    case 'expired':
      if (held.rescue) await rescueBatch(job.db.sql, held.batchKey);
      break;
    default:
  }
  await change(job, { state: 'reading' });
  return await readJob(job);
}

async function look(job: HeldJob): Promise<Job> {
  const { held, api, stopping } = job;
  const { providerId } = held;
  if (providerId === null) throw new Error(`provider batch ${held.id} works without an id`);
  if (!endWanted(job)) return await api.retrieve(providerId, stopping);
  const isAsked = held.cancelledAt !== null && /cancel/i.test(held.status);
  await change(job, { cancelledAt: held.cancelledAt ?? held.now });
  return isAsked ? api.retrieve(providerId, stopping) : api.cancel(providerId, stopping);
}

/** The provider took none of it. Items whose lines it names fail; without such, the reason is everybody's. */
async function takeBack(job: HeldJob, problems: readonly JobProblem[]): Promise<Outcome> {
  const { held, db } = job;
  if (endWanted(job)) return { kind: 'end', status: held.status, round: false };
  const tooMuch = problems.find(({ code }) => code !== null && limitCodes.has(code));
  if (tooMuch) {
    const holdOff = { ms: job.pollMs ?? tooMuchHoldOffMs, why: tooMuch.message };
    return { kind: 'end', status: held.status, round: false, holdOff };
  }
  const everybodys = problems.find(({ code }) => code !== null && batchCodes.has(code));
  const failed = everybodys ? [] : await failuresByLine(job, problems);
  if (failed.length > 0) {
    await recordResults(db.sql, { batchKey: held.batchKey, worker: held.id, results: failed });
    job.publish();
    return { kind: 'end', status: held.status, round: false };
  }
  const problem = everybodys ?? problems.find(({ line }) => line === null) ?? problems[0];
  const code = batchCodes.get(problem?.code ?? '') ?? 'PROVIDER_REJECTED_FILE';
  const reason = problem?.message ?? 'it gave no reason';
  return { kind: 'stop', code, message: `The provider rejected the batch: ${reason}`, over: true };
}

/** The lines of an input are its unanswered items in order: nothing of it has been answered. */
async function failuresByLine(
  { held, db }: HeldJob,
  problems: readonly JobProblem[],
): Promise<NewResult[]> {
  const lines = problems.filter(({ line }) => line !== null);
  if (lines.length === 0) return [];
  const indexes = (await readUnanswered(db.sql, held)).sort((a, b) => a - b);
  const firsts = (await readHeldChunks(db.sql, held)).map(({ first }) => first);
  const byIndex = new Map<number, NewResult>();
  for (const { line, code, message } of lines) {
    const index = indexes[(line ?? 0) - 1];
    if (index === undefined || indexes.length !== held.requests) continue;
    const first = chunkOf(firsts, index);
    if (first === null) continue;
    byIndex.set(index, {
      index,
      first,
      attempts: 0,
      usage: { requests: 0, inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, costUsd: null },
      outcome: {
        status: 'FAILED',
        error: {
          code: 'INVALID_REQUEST',
          message: `The provider rejected the request${code ? ` (${code})` : ''}: ${message}`,
        },
      },
    });
  }
  return [...byIndex.values()];
}

/** What says that it is too much at once, and not that anything is wrong with it. */
const limitCodes = new Set(['token_limit_exceeded', 'batch_limit_exceeded', 'rate_limit_exceeded']);

const batchCodes: ReadonlyMap<string, BatchErrorCode> = new Map([
  ['model_not_found', 'UNKNOWN_MODEL'],
  ['billing_hard_limit_reached', 'QUOTA_EXHAUSTED'],
  ['insufficient_quota', 'QUOTA_EXHAUSTED'],
  ['invalid_api_key', 'INVALID_KEY'],
]);
