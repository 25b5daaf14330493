import { randomUUID } from 'node:crypto';
import { noUsage } from '../../src/core/usage.ts';
import { listEnding } from '../../src/db/batch-life.ts';
import { type ClaimTurn, claimChunks } from '../../src/db/chunks.ts';
import type { Builder, Database, Sql } from '../../src/db/driver/client.ts';
import { insertInlineBatch } from '../../src/db/inline-batches.ts';
import type { OwnerLimits } from '../../src/db/owner-limits.ts';
import { type NewResult, recordResults } from '../../src/db/results.ts';
import type { Unanswered } from '../../src/db/unanswered.ts';
import { insertWorker } from '../../src/db/workers.ts';
import type { Nudges } from '../../src/engine/process/nudges.ts';
import { finishEnding } from '../../src/engine/upkeep/reaper.ts';
import { createEvents } from '../../src/telemetry/events.ts';

/** A queued batch of `items` items, in chunks. Returns its key. */
export async function insertBatch(
  sql: Sql,
  {
    items,
    owner = 'local',
    chunkSize = 10,
    previewItems = null,
    status = 'QUEUED',
    expiresInSeconds = 3600,
    maxCostUsd = null,
  }: {
    items: number;
    owner?: string;
    chunkSize?: number;
    previewItems?: number | null;
    status?: 'DRAFT' | 'QUEUED';
    expiresInSeconds?: number;
    maxCostUsd?: number | null;
  },
): Promise<bigint> {
  const inserted = await insertInlineBatch(sql, {
    id: `batch_${randomUUID()}`,
    owner,
    operation: 'label',
    options: '{}',
    model: 'test/rules',
    status,
    name: null,
    metadata: null,
    idempotencyKey: null,
    inputHash: '',
    optionsHash: Buffer.alloc(16),
    expiresInSeconds,
    webhookUrl: null,
    customIdPrefix: null,
    execution: 'LIVE' as const,
    rescue: false,
    deduplicate: false,
    maxCostUsd,
    previewItems,
    chunkSize,
    file: {
      id: `file_${randomUUID()}`,
      name: 'inline',
      format: 'JSON',
      sizeBytes: 0,
      columns: [],
    },
    rows: Array.from({ length: items }, (_, index) => ({
      customId: String(index),
      content: `text ${index}`,
      fields: null,
    })),
  } as Parameters<typeof insertInlineBatch>[1]);
  if (inserted.key === null) throw new Error('the batch was not inserted');
  return inserted.key;
}

/** The id of a batch; empty where it has gone. */
export async function readId(sql: Sql, batchKey: bigint): Promise<string> {
  const [batch] = await sql<{ id: string }[]>`select id from batches where key = ${batchKey}`;
  return batch?.id ?? '';
}

const events = createEvents({ error: () => undefined });
const silent = { send: async () => undefined } as unknown as Nudges;

/** Does for each batch that is being ended what the reaper does at once. */
export async function finishAllEnding(db: Database): Promise<void> {
  for (const { key, ending } of await listEnding(db)) {
    await finishEnding({ db, nudges: silent, events }, key, ending);
  }
}

/** A worker with a lease that runs. Returns its id. */
export async function enterWorker(db: Builder, leaseMs = 60_000): Promise<string> {
  const id = `worker_${randomUUID()}`;
  await insertWorker(db, { id, machine: 'test', pid: 0, leaseMs });
  return id;
}

/** The turn before anybody was served. */
export const nobody: ClaimTurn = { owner: '', batches: new Map() };

/** Looks through all of each batch. */
export const fromStart: ReadonlyMap<bigint, number> = new Map();

/** No owner has a limit. */
export const unlimited: OwnerLimits = { owners: new Map(), others: null };

/** Claims from one batch. */
export async function claimOf(sql: Sql, batchKey: bigint, worker: string, limit = 1) {
  const { chunks } = await claimChunks(sql, {
    worker,
    after: nobody,
    limit,
    onlyBatchKeys: [batchKey],
    except: [],
    limits: unlimited,
    from: fromStart,
  });
  return chunks;
}

/** An answer to an item, wherever that is. */
export type Answer = Omit<NewResult, 'first'>;

/**
 * Records answers under the chunks that their items are in now, as a worker does that holds them.
 */
export async function recordAnswers(
  sql: Sql,
  { batchKey, worker, results }: { batchKey: bigint; worker: string; results: readonly Answer[] },
) {
  const chunks = await sql<{ first: number; last: number }[]>`
    select first, last from chunks where batch_key = ${batchKey}`;
  return await recordResults(sql, {
    batchKey,
    worker,
    execution: 'LIVE',
    results: results.map((result) => {
      const { index } = result;
      const chunk = chunks.find(({ first, last }) => first <= index && index <= last);
      return { ...result, first: chunk?.first ?? 0 };
    }),
  });
}

export function succeeded(index: number, output: unknown = { label: 'yes' }): Answer {
  return { index, attempts: 1, usage, outcome: { status: 'SUCCEEDED', output } };
}

export function failed(index: number, message = 'refused'): Answer {
  return {
    index,
    attempts: 1,
    usage,
    outcome: { status: 'FAILED', error: { code: 'REFUSED', message } },
  };
}

const usage = {
  ...noUsage,
  requests: 1,
  inputTokens: 10,
  cachedInputTokens: 2,
  outputTokens: 3,
  costUsd: 0.5,
};

/** An item that was sent `requests` times: `cutOff` were aborted, the others were answered. */
export function unanswered(
  index: number,
  { first = 0, requests, cutOff }: { first?: number; requests: number; cutOff: number },
): Unanswered {
  const answers = requests - cutOff;
  return {
    index,
    first,
    attempts: answers,
    cutOff,
    usage: {
      ...usage,
      requests,
      unmeteredRequests: cutOff,
      inputTokens: 10 * answers,
      cachedInputTokens: 2 * answers,
      outputTokens: 3 * answers,
      reasoningTokens: answers,
      costUsd: answers > 0 ? 0.5 * answers : null,
    },
  };
}

/** Integers from `first` to `last`. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

/** What a batch says of itself and what its rows say, read in one statement. */
export interface Audit {
  status: string;
  ending: string | null;
  deleted: boolean;
  total: number;
  counted: { succeeded: number; failed: number; cancelled: number; expired: number };
  rows: { succeeded: number; failed: number; cancelled: number; expired: number };
  /** Requests, unmetered ones, tokens of each kind, and the cost. */
  usage: (number | null)[];
  /** The same of results, and of what was put aside. */
  usageOfRows: (number | null)[];
  /** The same with what was sent again, and that as the ledger has it. */
  spent: (number | null)[];
  ledger: (number | null)[];
  /** Sum of `done` of the chunks, and of rows that lie in them. */
  done: number;
  /** `[first, last, state, done]`, by first. */
  chunks: [number, number, 'open' | 'leased' | 'done' | 'held', number][];
  resentRequests: number;
  seq: number;
}

export async function audit(sql: Sql, batchKey: bigint): Promise<Audit> {
  const [found] = await sql<Audit[]>`
    select b.status, b.ending, b.deleted_at is not null as deleted, b.total, b.seq::float8 as seq,
           b.resent_requests::float8 as "resentRequests",
           json_build_array(b.requests, b.unmetered_requests, b.input_tokens, b.cached_input_tokens,
             b.output_tokens, b.reasoning_tokens, b.cost_usd) as usage,
           json_build_array(b.requests, b.unmetered_requests + b.resent_requests, b.input_tokens, b.cached_input_tokens,
             b.output_tokens, b.reasoning_tokens, b.cost_usd) as spent,
           (select json_build_array(coalesce(sum(requests), 0), coalesce(sum(unmetered), 0),
                coalesce(sum(input_tokens), 0), coalesce(sum(cached_input_tokens), 0), coalesce(sum(output_tokens), 0),
                coalesce(sum(reasoning_tokens), 0), sum(cost_usd))
            from spending where batch_key = b.key) as ledger,
           json_build_object('succeeded', b.succeeded, 'failed', b.failed, 'cancelled', b.cancelled, 'expired', b.expired)
             as counted,
           (select json_build_object(
              'succeeded', count(*) filter (where status = 'SUCCEEDED'),
              'failed', count(*) filter (where status = 'FAILED'),
              'cancelled', count(*) filter (where status = 'CANCELLED'),
              'expired', count(*) filter (where status = 'EXPIRED'))
            from results where batch_key = b.key) as rows,
           (select json_build_array(coalesce(sum(requests), 0), coalesce(sum(unmetered), 0),
                coalesce(sum(input_tokens), 0), coalesce(sum(cached_input_tokens), 0), coalesce(sum(output_tokens), 0),
                coalesce(sum(reasoning_tokens), 0), sum(cost_usd))
            from (
              select requests, unmetered, input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, cost_usd
              from results where batch_key = b.key
              union all
              select requests, unmetered, input_tokens, cached_input_tokens, output_tokens, reasoning_tokens, cost_usd
              from superseded_results where batch_key = b.key) as answers) as "usageOfRows",
           (select sum(done)::int from chunks where batch_key = b.key) as done,
           (select json_agg(json_build_array(first, last, state, done) order by first)
            from chunks where batch_key = b.key) as chunks
    from batches b where key = ${batchKey}`;
  if (!found) throw new Error('the batch has gone');
  return found;
}

export function sum(counts: Audit['rows']): number {
  return counts.succeeded + counts.failed + counts.cancelled + counts.expired;
}
