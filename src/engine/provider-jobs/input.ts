/**
 * The input of a provider batch: the requests of its unanswered items, a line each, in a file of
 * this machine.
 */
import { type FileHandle, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ItemFailure, internalItemError } from '../../core/errors.ts';
import { isRunning } from '../../core/is-running.ts';
import type { Log } from '../../core/log.ts';
import { createSpentMemory } from '../../core/spent-memory.ts';
import { type OpenItem, readOpenItemsWithin } from '../../db/items.ts';
import {
  giveBackFrom,
  giveBackOtherChunks,
  readHeldChunks,
} from '../../db/provider-batch-items.ts';
import type { NewResult } from '../../db/results.ts';
import { decodeRow } from '../../files/decoded-row.ts';
import type { BatchApi, BatchInput } from '../../model/batch-api.ts';
import type { Model } from '../../model/model.ts';
import { requestFor } from '../run/plan.ts';
import { failureOf } from './fail-items.ts';
import { beginJobCaching, change, type JobStep, record } from './job.ts';

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
 * Makes the input and hands it to `use`; it is gone afterwards. Items without a request are
 * recorded as failed: their template names a field that they lack, or their row is more than the
 * provider takes at once. What would go beyond the provider's limits, or beyond as many requests as
 * it had before, is given back for another provider batch. So are items that name another model
 * than the first one does, because one input has one model. Those go back at once where a chunk has
 * no others, and else when the job is over. Null where no request is left.
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

/** Rows read at a time, in bytes: one may have 10 MB, and its prompt many times that. */
const readBytes = 4_194_304;
/** Short lines are written together. */
const writeBytes = 1_048_576;

interface Written {
  model: Model;
  /** Line by line. */
  items: number[];
  bytes: number;
  /** Some of its chunks are of other models alone. */
  hasOtherChunks: boolean;
}

/** An input in the making: the model is that of its first request. */
type Draft = Omit<Written, 'model'> & { model: Model | null };

interface Chunk {
  first: number;
  last: number;
  /** Items of it that are not asked. */
  twins: number;
}

async function writeInput(step: JobStep, path: string): Promise<Written | null> {
  const { job, db, stopping } = step;
  const file = await open(path, 'w');
  const lines = createLines(file);
  const draft: Draft = { model: null, items: [], bytes: 0, hasOtherChunks: false };
  try {
    for (const chunk of await readHeldChunks(db.sql, job)) {
      stopping.throwIfAborted();
      const beyond = await writeChunk(step, chunk, { draft, lines });
      if (beyond !== null) {
        await giveBackFrom(db.sql, { ...job, worker: step.worker }, beyond);
        break;
      }
    }
    await lines.flush();
  } finally {
    await file.close();
  }
  const { model, items, hasOtherChunks } = draft;
  if (model === null || items.length === 0) return null;
  return { model, items, bytes: draft.bytes + apiOf(model).framingBytes, hasOtherChunks };
}

interface Lines {
  /** Resolves when the next may be made: no more than one long line is in memory. */
  write(line: Buffer): Promise<void>;
  /** Writes what has gathered. */
  flush(): Promise<void>;
}

function createLines(file: FileHandle): Lines {
  const spent = createSpentMemory();
  let gathered: Buffer[] = [];
  let bytes = 0;

  async function flush(): Promise<void> {
    const input = Buffer.concat(gathered);
    gathered = [];
    bytes = 0;
    await file.appendFile(input);
  }

  return {
    flush,
    async write(line) {
      gathered.push(line);
      bytes += line.length;
      if (bytes >= writeBytes) await flush();
      spent.add(line.length);
    },
  };
}

/**
 * Writes the requests of a chunk that go to the draft's model. Returns the index of the first that
 * there is no room for; null where there is room for all.
 */
async function writeChunk(
  step: JobStep,
  chunk: Chunk,
  { draft, lines }: { draft: Draft; lines: Lines },
): Promise<number | null> {
  const failed: NewResult[] = [];
  let beyond: number | null = null;
  let isOthers = true;
  for await (const item of openItems(step, chunk)) {
    const { index } = item;
    const made = await makeLine(step, item, draft.model);
    if (made === null) continue;
    if (made instanceof ItemFailure) {
      failed.push(failureOf(index, chunk.first, made));
      continue;
    }
    isOthers = false;
    draft.model = made.model;
    if (!hasRoom(step, { draft, ...made })) {
      beyond = index;
      break;
    }
    draft.items.push(index);
    draft.bytes += made.line.length;
    await lines.write(made.line);
  }
  draft.hasOtherChunks ||= isOthers && draft.model !== null;
  await record(step, failed);
  return beyond;
}

/** The items of a chunk that are to be asked, in order. */
async function* openItems({ job, fileKey, db }: JobStep, { first, last, twins }: Chunk) {
  let from = first;
  let hasMore = true;
  while (hasMore) {
    const items = await readOpenItemsWithin(db.sql, {
      fileKey,
      batchKey: job.batchKey,
      first: from,
      last,
      someTwins: twins > 0,
      maxBytes: readBytes,
    });
    yield* items;
    const end = items.at(-1);
    from = end ? end.index + 1 : last;
    hasMore = end !== undefined && items.length < end.rowsOfPage;
  }
}

/**
 * The request of an item as a line, if it goes to `only`, or to any model where that is null. Null
 * where it goes to another; a failure where the item cannot be sent.
 */
async function makeLine(
  step: JobStep,
  item: OpenItem,
  only: Model | null,
): Promise<{ model: Model; line: Buffer } | ItemFailure | null> {
  const { job, plan, file, log } = step;
  try {
    const row = decodeRow(file, item);
    await beginJobCaching(step, row);
    const { model: named, request } = requestFor(plan, row);
    const model = (await named.readings?.chosen()) ?? named;
    const api = apiOf(model);
    if (only !== null && model !== only) return null;
    const line = api.encode(lineIdOf(job.id, item.index), request);
    return { model, line: fitting(Buffer.from(`${line}\n`), api) };
  } catch (error) {
    if (error instanceof ItemFailure) return error;
    log.error(
      { err: error, ...step.origin.about, providerBatch: job.id },
      'an item failed in an unforeseen way',
    );
    return new ItemFailure(internalItemError.code, internalItemError.message);
  }
}

/** The line, if the provider takes it alone. */
function fitting(line: Buffer, { limits, framingBytes }: BatchApi): Buffer {
  if (line.length + framingBytes <= limits.bytes) return line;
  throw new ItemFailure(
    'CONTEXT_TOO_LONG',
    `The request has ${line.length} bytes, and the provider takes ${limits.bytes} at once.`,
  );
}

/** True where a line fits. One alone is tried, whatever has been learned from many. */
function hasRoom(
  { job, learned }: JobStep,
  { draft, model, line }: { draft: Draft; model: Model; line: Buffer },
): boolean {
  const { items, bytes } = draft;
  if (items.length === 0) return true;
  const { limits, framingBytes } = apiOf(model);
  const { provider, id } = model;
  const cap = job.requests > 0 ? job.requests : Number.POSITIVE_INFINITY;
  return (
    items.length < Math.min(limits.requests, learned.requests.limitOf(id), cap) &&
    bytes + line.length + framingBytes <= Math.min(limits.bytes, learned.bytes.limitOf(provider))
  );
}

/** An item's name in the input, told apart from those of every other provider batch. */
function lineIdOf(id: string, index: number): string {
  return `${id}-${index}`;
}

/** The item that a custom id of the input stands for; null for any other text. */
export function indexOf(id: string, customId: string): number | null {
  const digits = customId.startsWith(`${id}-`) ? customId.slice(id.length + 1) : '';
  return /^(0|[1-9][0-9]{0,8})$/.test(digits) ? Number(digits) : null;
}
