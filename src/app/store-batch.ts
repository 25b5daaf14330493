import { createHash } from 'node:crypto';
import { AppError } from '../core/errors.ts';
import { newId } from '../core/ids.ts';
import type { Limits } from '../core/limits.ts';
import { traceparentOf } from '../core/trace.ts';
import type { Sql } from '../db/driver/client.ts';
import { insertFileBatch, type NewFileBatch } from '../db/file-batches.ts';
import { insertIngestedBatch } from '../db/ingested-batches.ts';
import { findByIdempotencyKey, insertInlineBatch } from '../db/inline-batches.ts';
import type { Execution } from '../db/tables.ts';
import { giveBackItems, storeWithin, type Taking, takingOf } from '../db/takings.ts';
import { tellEnded } from '../engine/process/tell-recorded.ts';
import { LeaseLost } from '../files/ingest-lease.ts';
import { findOperation } from '../operations/index.ts';
import type { FaceName } from '../telemetry/events.ts';
import type { Caller } from './caller.ts';
import type { CheckedItem } from './inputs.ts';
import { canonicalJson, optionsHash } from './options-hash.ts';
import { withPlainHost } from './webhook-url.ts';

/** The unit of claiming: spreads a batch over workers, and makes 10,000 rows of a million items. */
const chunkSize = 100;
export const defaultExpirySeconds: Readonly<Record<Execution, number>> = {
  LIVE: 24 * 60 * 60,
  // The provider has 24 h for what it is given; two more to give it, and to take in what it
  // answered in the last minute.
  PROVIDER_BATCH: 26 * 60 * 60,
};

/** Requests that are rows of a file to come. */
export interface StoredRequests {
  fileKey: bigint;
  format: 'ANTHROPIC_JSONL';
  /** Where they came in. */
  face: FaceName;
  itemCount: number;
  sizeBytes: number;
  /** Hash of all options as they came. */
  hash: string;
}

/** A checked input: options are params with their defaults, and the model is resolved. */
export interface Submission {
  operation: string;
  options: Record<string, unknown>;
  model: string;
  /**
   * The items themselves; the id of an uploaded file, of which nothing is copied; or rows that are
   * in, and whose file is entered with the batch.
   */
  source: { items: readonly CheckedItem[] } | { fileId: string } | { rows: StoredRequests };
  execution: Execution;
  /** PROVIDER_BATCH only: what the provider's window leaves undone is called live. */
  rescue: boolean;
  /** True where prompts are marked for the provider's cache. Absent: where it pays. */
  promptCaching?: boolean;
  /** False: it waits as a DRAFT. */
  autoStart: boolean;
  name: string | null;
  metadata: Record<string, unknown> | null;
  idempotencyKey: string | null;
  expiresInSeconds: number | null;
  /** Checked already; null where nobody is to be told of the end. */
  webhookUrl: string | null;
  /** Stands before every custom id. */
  customIdPrefix: string | null;
  /**
   * Fields of a file in place of those chosen at upload; null for these. An empty customIdField:
   * the place in the file serves.
   */
  contentField: string | null;
  customIdField: string | null;
  /** True where identical rows are asked once; undefined: as is usual for the operation. */
  deduplicate?: boolean | undefined;
  /** USD; absent without a limit: null would be another input to hashes of before. */
  maxCostUsd?: number | undefined;
  /** After its end until it is deleted; undefined: as the server does. */
  retainSeconds?: number | undefined;
  /** So many items run first; undefined without a preview. */
  preview?: number | undefined;
  /** Why nothing of the file can run: the batch is FAILED from the start. */
  fileError?: string | null;
}

/**
 * Stores a batch with its items and hands it to the workers. Returns its id; under an idempotency
 * key that is taken by the same input, the id of the batch that has it. Throws LimitExceeded where
 * it is more than a limit of its owner leaves: then nothing is stored.
 */
export async function submitBatch(
  { db, nudges, events, asking, limits = null }: Storing,
  owner: string,
  submission: Submission & { itemCount?: number },
): Promise<string> {
  const { source, idempotencyKey, fileError = null } = submission;
  await db.checkRoom();
  const id = newId('batch');
  const inputHash = createHash('sha256')
    .update(canonicalJson(asHashed(submission)))
    .digest('hex');
  const batch = {
    id,
    owner,
    operation: submission.operation,
    options: JSON.stringify(submission.options),
    model: submission.model,
    status: submission.autoStart ? 'QUEUED' : 'DRAFT',
    name: submission.name,
    metadata: submission.metadata && JSON.stringify(submission.metadata),
    idempotencyKey,
    inputHash,
    optionsHash: optionsHash(submission.operation, submission.options),
    expiresInSeconds: submission.expiresInSeconds ?? defaultExpirySeconds[submission.execution],
    webhookUrl: submission.webhookUrl && withPlainHost(submission.webhookUrl),
    customIdPrefix: submission.customIdPrefix,
    execution: submission.execution,
    rescue: submission.rescue,
    deduplicate:
      submission.deduplicate ?? findOperation(submission.operation)?.deduplicates ?? false,
    promptCaching: submission.promptCaching ?? null,
    maxCostUsd: submission.maxCostUsd ?? null,
    retainSeconds: submission.retainSeconds ?? null,
    previewItems: submission.preview ?? null,
    traceparent: asking.trace ? traceparentOf(asking.trace) : null,
    chunkSize,
  } as const;
  const { contentField, customIdField } = submission;
  const given = { source, contentField, customIdField, fileError };
  const taking = takingFor(submission, { id, owner, limits });
  if (taking !== null && idempotencyKey !== null) {
    const earlier = await findByIdempotencyKey(db, owner, idempotencyKey);
    if (earlier) return sameInput(earlier, inputHash);
  }
  const inserted = await storeWithin(db.sql, taking, () =>
    insertBatch(db.sql, { ...batch, ...given }, taking),
  );
  if (taking !== null && typeof inserted !== 'bigint') {
    await giveBackItems(db.sql, owner, taking.items);
  }
  if (inserted === 'unknown_file') throw new AppError('NOT_FOUND', 'There is no file with this id');
  if (inserted === 'lease_lost') throw new LeaseLost();
  if (inserted !== 'key_taken') {
    events.emit('batch.submitted', {
      batchKey: inserted,
      batch: id,
      retainSeconds: batch.retainSeconds,
      cause: asking,
    });
    if ('rows' in source) {
      events.emit('upload.taken', { face: source.rows.face, bytes: source.rows.sizeBytes });
    }
    if (fileError !== null) {
      const { operation, execution } = submission;
      const ended = { status: 'FAILED', operation, execution, seconds: 0 } as const;
      tellEnded(events, inserted, ended, asking);
    }
    await nudges.send(inserted, fileError === null ? 'work' : 'progress', asking);
    return id;
  }

  const winner = await findByIdempotencyKey(db, owner, idempotencyKey ?? '');
  if (!winner)
    throw new AppError(
      'CONFLICT',
      'The batch with this idempotencyKey was just deleted; submit again',
    );
  return sameInput(winner, inputHash);
}

/** All that a batch is stored with. */
interface Storing extends Pick<Caller, 'db' | 'nudges' | 'events' | 'asking'> {
  /** Limits of the owner. */
  limits?: Limits | null;
}

/** The id of the batch that has an idempotency key. */
function sameInput({ id, inputHash }: { id: string; inputHash: string }, asked: string): string {
  if (inputHash === asked) return id;
  throw new AppError(
    'IDEMPOTENCY_CONFLICT',
    `idempotencyKey must be new for a new input; ${id} has this key with another input`,
  );
}

/** A DRAFT takes what it stores alone, as does a batch of which nothing can run. */
function takingFor(
  { source, autoStart, fileError = null, itemCount = 0 }: Submission & { itemCount?: number },
  { id, owner, limits }: { id: string; owner: string; limits: Limits | null },
): Taking | null {
  if (limits === null) return null;
  const starts = autoStart && fileError === null;
  return takingOf(limits, {
    owner,
    batch: starts ? id : null,
    items: starts ? itemCount : 0,
    bytes: storedBytes(source),
  });
}

/** Bytes that a submit stores beside its batch. */
function storedBytes(source: Submission['source']): number {
  if ('fileId' in source) return 0;
  return 'rows' in source ? source.rows.sizeBytes : inlineRows(source.items).file.sizeBytes;
}

/** The key of the batch, or why it is not stored; `isTaken` false: its taking did not fit. */
async function insertBatch(
  sql: Sql,
  {
    source,
    contentField,
    customIdField,
    fileError,
    ...batch
  }: Omit<NewFileBatch, 'fileId'> & Pick<Submission, 'source'>,
  taking: Taking | null,
): Promise<{ result: bigint | 'unknown_file' | 'lease_lost' | 'key_taken'; isTaken: boolean }> {
  if ('fileId' in source) {
    const { fileId } = source;
    const own = { fileId, contentField, customIdField, fileError };
    return await insertFileBatch(sql, { ...batch, ...own }, taking);
  }
  if ('rows' in source) {
    const { fileKey: key, hash, face, ...rows } = source.rows;
    const file = { ...rows, key, id: newId('file'), name: inlineName };
    return await insertIngestedBatch(sql, { ...batch, file }, taking);
  }
  const own = inlineRows(source.items);
  const { key, isTaken } = await insertInlineBatch(sql, { ...batch, ...own }, taking);
  return { result: key ?? 'key_taken', isTaken };
}

/** The name of a file that is not listed. */
const inlineName = 'inline';

/** Items as rows of a file that is not listed: requests as lines of their provider's batch file. */
function inlineRows(items: readonly CheckedItem[]) {
  const areRequests = items.some(({ request }) => request);
  const rows = items.map(({ customId, content, metadata, request, dialect }) =>
    request
      ? {
          customId,
          content: null,
          fields: JSON.stringify({ [dialect === 'anthropic' ? 'params' : 'body']: request }),
        }
      : { customId, content, fields: metadata && JSON.stringify(metadata) },
  );
  return {
    file: {
      id: newId('file'),
      name: inlineName,
      format: areRequests ? 'OPENAI_JSONL' : 'JSON',
      sizeBytes: rows.reduce(
        (bytes, { content, fields }) => bytes + Buffer.byteLength(content ?? fields ?? ''),
        0,
      ),
      columns: areRequests
        ? []
        : [...new Set(items.flatMap(({ metadata }) => Object.keys(metadata ?? {})))],
    },
    rows,
  };
}

/** Options that operations did not have at first, all of them false where they are absent. */
const laterOptions: Readonly<Record<string, readonly string[]>> = {
  label: ['allowNone', 'includeContext'],
  extract: ['includeContext'],
  summarize: ['includeContext'],
  run: ['includeContext'],
};

/**
 * A submission without the later options that say nothing, so that it hashes as it did before there
 * were these: a key is tried again with another server during an upgrade. The file stands for what
 * is wrong with it.
 */
function asHashed({
  fileError,
  itemCount,
  ...submission
}: Submission & { itemCount?: number }): object {
  const later = laterOptions[submission.operation] ?? [];
  const options = Object.entries(submission.options).filter(
    ([name, value]) => !(value === false && later.includes(name)),
  );
  return {
    ...submission,
    source: hashedSource(submission.source),
    options: Object.fromEntries(options),
  };
}

/** The content of rows that are in, without their place. */
function hashedSource(source: Submission['source']): object {
  return 'rows' in source ? { hash: source.rows.hash } : source;
}
