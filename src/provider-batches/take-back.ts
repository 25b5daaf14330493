/** A job that its provider rejected: whose fault it is, and who goes on. */
import { readUnansweredAt } from '../db/items.ts';
import { readHeldChunks, readUnanswered } from '../db/provider-batches.ts';
import { type NewResult, recordResults } from '../db/results.ts';
import { type BatchErrorCode, ItemFailure } from '../errors.ts';
import { decodeRow } from '../files/row.ts';
import type { JobProblem } from '../model/batch-api.ts';
import { type Plan, requestOf } from '../plan.ts';
import { chunkOf } from './chunk-of.ts';
import { endWanted, type HeldJob, type Outcome } from './job.ts';

/** Batches of one owner at a provider may have so many tokens waiting; what was too much is tried again after this. */
const tooMuchHoldOffMs = 5 * 60_000;

/** The provider took none of it. Items whose lines it names fail; without such, the reason is everybody's. */
export async function takeBack(job: HeldJob, problems: readonly JobProblem[]): Promise<Outcome> {
  const { held, db } = job;
  if (endWanted(job)) return { kind: 'end', status: held.status, round: false };
  const tooMuch = problems.find(({ code }) => code !== null && limitCodes.has(code));
  if (tooMuch) {
    const holdOff = { ms: job.pollMs ?? tooMuchHoldOffMs, why: tooMuch.message };
    return { kind: 'end', status: held.status, round: false, holdOff };
  }
  const everybodys = problems.find(({ code }) => code !== null && batchCodes.has(code));
  const isRowsModel = everybodys?.code === 'model_not_found' && held.model !== job.plan.model.id;
  if (everybodys && isRowsModel) {
    await failRowsOfModel(job, everybodys.message);
    return { kind: 'end', status: held.status, round: false };
  }
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
    byIndex.set(index, rejectedItem({ index, first }, { code, message }));
  }
  return [...byIndex.values()];
}

/** The model is one that rows name, and not the batch's own: these rows fail, as they do live, and the others go on. */
async function failRowsOfModel(job: HeldJob, message: string): Promise<void> {
  const { held, plan, file, fileKey, db } = job;
  const { batchKey } = held;
  const indexes = await readUnanswered(db.sql, held);
  const firsts = (await readHeldChunks(db.sql, held)).map(({ first }) => first);
  for (let from = 0; from < indexes.length; from += rowsAtOnce) {
    const some = indexes.slice(from, from + rowsAtOnce);
    const results: NewResult[] = [];
    for (const item of await readUnansweredAt(db.sql, {
      fileKey,
      batchKey,
      indexes: some,
      since: held.createdAt,
    })) {
      const { index } = item;
      const first = chunkOf(firsts, index);
      if (first === null || modelNamedBy(plan, decodeRow(file, item)) !== held.model) continue;
      results.push(rejectedItem({ index, first }, { code: 'model_not_found', message }));
    }
    if (results.length === 0) continue;
    await recordResults(db.sql, { batchKey, worker: held.id, results });
    job.publish();
  }
}

/** Null where the row cannot be sent at all. */
function modelNamedBy(plan: Plan, item: ReturnType<typeof decodeRow>): string | null {
  try {
    return requestOf(plan, item).model.id;
  } catch (error) {
    if (error instanceof ItemFailure) return null;
    throw error;
  }
}

function rejectedItem(
  item: { index: number; first: number },
  { code, message }: Pick<JobProblem, 'code' | 'message'>,
): NewResult {
  return {
    ...item,
    attempts: 0,
    usage: { requests: 0, inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, costUsd: null },
    outcome: {
      status: 'FAILED',
      error: {
        code: 'INVALID_REQUEST',
        message: `The provider rejected the request${code ? ` (${code})` : ''}: ${message}`,
      },
    },
  };
}

const rowsAtOnce = 500;

/** What says that it is too much at once, and not that anything is wrong with it. */
const limitCodes = new Set(['token_limit_exceeded', 'batch_limit_exceeded', 'rate_limit_exceeded']);

const batchCodes: ReadonlyMap<string, BatchErrorCode> = new Map([
  ['model_not_found', 'UNKNOWN_MODEL'],
  ['billing_hard_limit_reached', 'QUOTA_EXHAUSTED'],
  ['insufficient_quota', 'QUOTA_EXHAUSTED'],
  ['invalid_api_key', 'INVALID_KEY'],
]);
