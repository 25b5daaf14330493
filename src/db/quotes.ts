/** Quotes of batches, and what earlier batches of an owner tell of later ones. */
import type { Sql } from './driver/client.ts';
import { type PreparedFile, preparedFile } from './prepared-file.ts';

/** A claim of a process that has died is void after this. */
const claimSeconds = 60;

/** A batch that nobody has quoted yet, and how its file is written. */
export interface UnquotedBatch extends PreparedFile {
  key: bigint;
  id: string;
  owner: string;
  operation: string;
  /** JSON text, as of the file. */
  options: string;
  optionsHash: Buffer;
  model: string;
  fileKey: bigint;
  /** Items that are asked. */
  items: number;
  total: number;
}

/**
 * The oldest batches that wait for their quote, also such as have been answered meanwhile: later
 * quotes are judged by theirs. Batches from before there were quotes have no options_hash.
 */
export async function listUnquoted(sql: Sql, limit: number): Promise<UnquotedBatch[]> {
  return await sql<UnquotedBatch[]>`
    select b.key, b.id, b.owner, b.operation, b.options, b.options_hash as "optionsHash", b.model,
           b.file_key as "fileKey", b.total - b.twins as items, b.total,
           ${preparedFile(sql)}
    from batches b join files f on f.key = b.file_key
    where b.options_hash is not null and b.quote is null and b.deleted_at is null
      and b.status in ('DRAFT', 'QUEUED', 'PROCESSING', 'COMPLETED')
      and coalesce(b.ids_indexed = b.total, true) and coalesce(b.twins_found, true)
      and ${isUnclaimed(sql)}
    order by b.key limit ${limit}`;
}

/** Takes a batch for this process. False where another one has it, or it has its quote. */
export async function claimQuote(sql: Sql, key: bigint): Promise<boolean> {
  const claimed = await sql`
    update batches b set counted_tokens = -extract(epoch from now())
    where key = ${key} and quote is null and deleted_at is null and ${isUnclaimed(sql)}`;
  return claimed.count === 1;
}

/** A claim is the time of it, below 0, where the count will be. */
function isUnclaimed(sql: Sql) {
  return sql`(b.counted_tokens is null or b.counted_tokens > -extract(epoch from now()) + ${claimSeconds})`;
}

/**
 * Keeps a quote. `countedTokens`: prompt tokens of all items by the count alone. Null for a batch
 * that cannot be quoted; it is not tried again.
 */
export async function storeQuote(
  sql: Sql,
  key: bigint,
  quoted: { quote: object; countedTokens: number } | null,
): Promise<void> {
  await sql`
    update batches
    set quote = ${JSON.stringify(quoted?.quote ?? null)}, counted_tokens = ${quoted?.countedTokens ?? null}
    where key = ${key} and quote is null`;
}

/** Batches that are looked at for what they tell, the newest first. */
const maxBatches = 100;
/** Answers that are looked at for their spread. */
const maxAnswers = 2_000;
/** Fewer tell nothing. */
const minAnswers = 10;
const minBilledRequests = 50;

export interface AnswerRecord {
  model: string;
  answers: number;
  meanTokens: number;
  deviation: number;
  requestsPerItem: number;
}

/**
 * The answers of an owner's newest batch with the same operation and options, by `model` where it
 * has one by that; null without one. `before`: the key of a batch that itself tells nothing.
 */
export async function readAnswerHistory(
  sql: Sql,
  asked: { owner: string; optionsHash: Buffer; model: string; before: bigint | null },
): Promise<AnswerRecord | null> {
  const { owner, optionsHash, model, before } = asked;
  const [found] = await sql<AnswerRecord[]>`
    with recent as materialized (
      select key, model, succeeded from batches
      where owner = ${owner} and options_hash = ${optionsHash} and deleted_at is null
        and (${before}::bigint is null or key < ${before}::bigint)
      order by key desc limit ${maxBatches}
    ),
    newest as materialized (
      select key, model from recent
      where succeeded >= ${minAnswers}
      order by model = ${model} desc, key desc limit 1
    ),
    answers as materialized (
      select newest.model, r.output_tokens, r.requests from newest, lateral (
        select output_tokens, requests from results
        where batch_key = newest.key and status = 'SUCCEEDED' and output_tokens > 0
        limit ${maxAnswers}
      ) r
    )
    select model, count(*)::int as answers, avg(output_tokens)::float8 as "meanTokens",
           coalesce(stddev_samp(output_tokens), 0)::float8 as deviation,
           greatest(1, avg(requests))::float8 as "requestsPerItem"
    from answers group by model having count(*) >= ${minAnswers}`;
  return found ?? null;
}

/**
 * Prompt tokens that were billed to an owner in the last 30 days for one that had been counted, for
 * this model; null where fewer than 50 answers tell. Complete requests are told apart from prompts
 * of Winnow's own: they may have images.
 */
export async function readBilledRatio(
  sql: Sql,
  asked: { owner: string; model: string; isChat: boolean; before: bigint | null },
): Promise<number | null> {
  const { owner, model, isChat, before } = asked;
  const [found] = await sql<{ ratio: number | null }[]>`
    with recent as materialized (
      select total - twins as items, counted_tokens, input_tokens, requests - unmetered_requests as metered
      from batches
      where owner = ${owner} and model = ${model} and counted_tokens > 0
        and (operation = 'chat') = ${isChat} and created_at > now() - interval '30 days'
        and (${before}::bigint is null or key < ${before}::bigint)
      order by key desc limit ${maxBatches}
    )
    select sum(input_tokens)::float8 / nullif(sum(counted_tokens / items * metered), 0) as ratio
    from recent where items > 0 and metered > 0
    having sum(metered) >= ${minBilledRequests} and sum(input_tokens) > 0`;
  return found?.ratio ?? null;
}
