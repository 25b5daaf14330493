/**
 * The input of a provider batch: the requests of its unanswered items, a line each, in a file of
 * this machine.
 */
import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ItemFailure, internalItemError } from '../../core/errors.ts';
import { isRunning } from '../../core/is-running.ts';
import type { Log } from '../../core/log.ts';
import { readOpenItems } from '../../db/items.ts';
import {
  giveBackFrom,
  giveBackOtherChunks,
  readHeldChunks,
} from '../../db/provider-batch-items.ts';
import type { NewResult } from '../../db/results.ts';
import { decodeRow } from '../../files/row.ts';
import type { BatchApi, BatchInput } from '../../model/batch-api.ts';
import type { Model } from '../../model/model.ts';
import { requestFor } from '../run/plan.ts';
import { failureOf } from './fail-items.ts';
import { change, type JobStep, record } from './job.ts';

const directoryPrefix = 'winnow-provider-batch-';

/**
 * Removes what processes of this machine left behind that were killed while they made or sent an
 * input. Never rejects: some of it may be other users'.
 */
export async function removeOldInputs(log: Log): Promise<void> {
  try {
    for (const name of await readdir(tmpdir())) {
      const [, pid] = new RegExp(`^${directoryPrefix}(\\d+)-`).exec(name) ?? [];
      if (!pid || Number(pid) === process.pid || isRunning(Number(pid))) continue;
      await rm(join(tmpdir(), name), { recursive: true, force: true }).catch((error: unknown) =>
        log.warn({ err: error }, 'could not remove an old input of a provider batch'),
      );
    }
  } catch (error) {
    log.warn({ err: error }, 'could not look for old inputs of provider batches');
  }
}

/**
 * Makes the input and hands it to `use`; it is gone afterwards. Items for which there is no request
 * (a template that names a field they lack, a row that is more than the provider takes at once) are
 * recorded as failed. What would go beyond the provider's limits, or beyond as many requests as it
 * had before, is given back for another provider batch; so are items that name another model than
 * the first one does, as one input has one model: at once where a chunk has no others, and else
 * when the job is over. Null where no request is left.
 */
export async function withInput<T>(
  step: JobStep,
  use: (input: BatchInput) => Promise<T>,
): Promise<T | null> {
  const directory = await mkdtemp(join(tmpdir(), `${directoryPrefix}${process.pid}-`));
  try {
    const path = join(directory, 'input.jsonl');
    const written = await writeInput(step, path);
    if (!written) return null;
    const { model, items, bytes, hasOtherChunks } = written;
    const requests = items.length;
    await change(step, { model: model.id, requests, items });
    if (hasOtherChunks)
      await giveBackOtherChunks(step.db.sql, { ...step.job, worker: step.worker });
    step.api = apiOf(model);
    return await use({ path, bytes, requests, jobId: step.job.id });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * `submitBatch` looks at the batch's own model alone. Throws ItemFailure where the one that a
 * request names has no batch API.
 */
function apiOf({ batches, id }: Model): BatchApi {
  if (batches) return batches;
  throw new ItemFailure(
    'INVALID_REQUEST',
    `The request’s model ${id} has no batch API; execution LIVE calls it`,
  );
}

/** One request of the input. */
interface Line {
  /** Of its item. */
  index: number;
  text: Buffer;
}

interface Written {
  model: Model;
  /** Line by line. */
  items: number[];
  bytes: number;
  /** Some of its chunks are of other models alone. */
  hasOtherChunks: boolean;
}

async function writeInput(step: JobStep, path: string): Promise<Written | null> {
  const { job, db, learned, stopping } = step;
  const file = await open(path, 'w');
  const cap = job.requests > 0 ? job.requests : Number.POSITIVE_INFINITY;
  const written: number[] = [];
  let bytes = 0;
  let model: Model | null = null;
  let hasOtherChunks = false;
  try {
    for (const chunk of await readHeldChunks(db.sql, job)) {
      stopping.throwIfAborted();
      const { lines, only } = await encodeChunk(step, chunk, model);
      if (only === null) continue;
      model = only;
      hasOtherChunks ||= lines.length === 0;
      const { limits, framingBytes } = apiOf(only);
      const { provider, id } = only;
      const maxRequests = Math.min(limits.requests, learned.requests.limitOf(id), cap);
      const maxBytes = Math.min(limits.bytes, learned.bytes.limitOf(provider));
      const room = countFitting(lines, {
        requests: maxRequests - written.length,
        bytes: maxBytes - framingBytes - bytes,
      });
      // One alone is tried, whatever has been learned from many.
      const fit = written.length === 0 ? Math.max(1, room) : room;
      const input = Buffer.concat(lines.slice(0, fit).map(({ text }) => text));
      await file.appendFile(input);
      bytes += input.length;
      for (const { index } of lines.slice(0, fit)) written.push(index);
      const next = lines[fit];
      if (next) {
        await giveBackFrom(db.sql, { ...job, worker: step.worker }, next.index);
        break;
      }
    }
  } finally {
    await file.close();
  }
  if (model === null || written.length === 0) return null;
  bytes += apiOf(model).framingBytes;
  return { model, items: written, bytes, hasOtherChunks };
}

/**
 * The requests of a chunk that go to a model: `only`, or that of the first request where it is
 * null.
 */
async function encodeChunk(
  step: JobStep,
  { first, last }: { first: number; last: number },
  only: Model | null,
): Promise<{ lines: Line[]; only: Model | null }> {
  const { job, plan, file, fileKey, db, log } = step;
  const { batchKey } = job;
  const items = await readOpenItems(db.sql, { fileKey, batchKey, first, last, someDone: true });
  const lines: Line[] = [];
  const failed: NewResult[] = [];
  const fault = (error: unknown) => {
    log.error({ err: error, providerBatch: job.id }, 'an item failed in an unforeseen way');
    return internalItemError;
  };
  let model = only;
  for (const item of items) {
    const { index } = item;
    try {
      const { model: named, request } = requestFor(plan, decodeRow(file, item));
      const wanted = (await named.readings?.settled()) ?? named;
      const api = apiOf(wanted);
      model ??= wanted;
      if (wanted !== model) continue;
      const line = api.encode(lineIdOf(job.id, index), request);
      lines.push({ index, text: fitting(Buffer.from(`${line}\n`), api) });
    } catch (error) {
      failed.push(failureOf(index, first, error instanceof ItemFailure ? error : fault(error)));
    }
  }
  await record(step, failed);
  return { lines, only: model };
}

/** The line, if the provider takes it alone. */
function fitting(line: Buffer, { limits, framingBytes }: BatchApi): Buffer {
  if (line.length + framingBytes <= limits.bytes) return line;
  throw new ItemFailure(
    'CONTEXT_TOO_LONG',
    `The request has ${line.length} bytes, and the provider takes ${limits.bytes} at once.`,
  );
}

/** How many of the lines, from the first on, there is room for. */
function countFitting(lines: readonly Line[], room: { requests: number; bytes: number }): number {
  let bytes = 0;
  for (const [count, { text }] of lines.entries()) {
    bytes += text.length;
    if (count >= room.requests || bytes > room.bytes) return count;
  }
  return lines.length;
}

/** What an item is called in the input, told apart from those of every other provider batch. */
function lineIdOf(id: string, index: number): string {
  return `${id}-${index}`;
}

/** The item that a custom id of the input stands for; null for any other text. */
export function indexOf(id: string, customId: string): number | null {
  const digits = customId.startsWith(`${id}-`) ? customId.slice(id.length + 1) : '';
  return /^(0|[1-9][0-9]{0,8})$/.test(digits) ? Number(digits) : null;
}
