/** Quotes of batches, and what earlier batches of an owner tell of later ones. */
import type { Sql } from './driver/client.ts';
import { type PreparedFile, preparedFile } from './prepared-file.ts';

/** A claim of a process that has died is void after this. */
const claimSeconds = 60;

/** Batches that are looked at for what they tell, the newest first. */
const maxBatches = 100;
/** Answers that are looked at for their spread. */
const maxAnswers = 2_000;
/** Fewer tell nothing. */
const minAnswers = 10;
const minBilledAnswers = 50;

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
  /** It has a quote, and the answers of its preview tell more. */
  isPreviewed: boolean;
}

/**
 * The oldest batches that wait for their quote, also such as have been answered meanwhile: later
 * quotes are judged by theirs. Batches from before there were quotes have no options_hash.
 */
export async function listUnquoted(sql: Sql, limit: number): Promise<UnquotedBatch[]> {
  return await sql<UnquotedBatch[]>`
    select b.key, b.id, b.owner, b.operation, b.options, b.options_hash as "optionsHash", b.model,
           b.file_key as "fileKey", b.total - b.twins as items, b.total, b.quote is not null as "isPreviewed",
           ${preparedFile(sql)}
    from (
      select * from batches where options_hash is not null and quote is null
      union all
      select * from batches b where ${tellsMore(sql)}
    ) b join files f on f.key = b.file_key
    where b.deleted_at is null
      and b.status in ('DRAFT', 'QUEUED', 'PROCESSING', 'COMPLETED')
      and coalesce(b.ids_indexed = b.total, true) and coalesce(b.twins_found, true)
      and ${isUnclaimed(sql)}
    order by b.key limit ${limit}`;
}

/** Takes a batch for this process. False where another one has it, or it has its quote. */
export async function claimQuote(sql: Sql, key: bigint): Promise<boolean> {
  const claimed = await sql`
    update batches b set counted_tokens = -extract(epoch from now())
    where key = ${key} and (quote is null or ${tellsMore(sql)}) and deleted_at is null and ${isUnclaimed(sql)}`;
  return claimed.count === 1;
}

/** Its preview is over, and tells more of its answers, a row `b`, than its quote rests on. */
function tellsMore(sql: Sql) {
  return sql`(
    b.options_hash is not null and b.status in ('QUEUED', 'PROCESSING') and b.pause_reason = 'PREVIEW' and b.succeeded >= ${minAnswers}
    and b.quote::json ->> 'outputBasis' in ('GUESSED', 'HISTORY')
    and (
      select count(*) from chunks c join results r on r.batch_key = c.batch_key and r.index = c.first
      where c.batch_key = b.key and c.in_preview and r.status = 'SUCCEEDED' and r.output_tokens > 0
    ) >= ${minAnswers})`;
}

/** A claim is the time of it, below 0, where the count will be. */
function isUnclaimed(sql: Sql) {
  return sql`(b.counted_tokens is null or b.counted_tokens > -extract(epoch from now()) + ${claimSeconds})`;
}

/**
 * Keeps a quote of a claimed batch. `countedTokens`: prompt tokens of all items by the count alone.
 * Null for a batch that cannot be quoted; it is not tried again.
 */
export async function storeQuote(
  sql: Sql,
  { key, isPreviewed }: Pick<UnquotedBatch, 'key' | 'isPreviewed'>,
  quoted: { quote: object; countedTokens: number } | null,
): Promise<void> {
  await sql`
    update batches
    set quote = ${JSON.stringify(quoted?.quote ?? null)}, counted_tokens = ${quoted?.countedTokens ?? null}
    where key = ${key} and ${isPreviewed ? sql`counted_tokens < 0` : sql`quote is null`}`;
}

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
      select newest.model, r.output_tokens, r.attempts from newest, lateral (
        select output_tokens, attempts from results
        where batch_key = newest.key and status = 'SUCCEEDED' and output_tokens > 0
        limit ${maxAnswers}
      ) r
    )
    select model, ${answerStatistics(sql)}
    from answers group by model having count(*) >= ${minAnswers}`;
  return found ?? null;
}

/** The answers of a batch's preview; null where too few tell. */
export async function readPreviewAnswers(sql: Sql, batchKey: bigint): Promise<AnswerRecord | null> {
  const [found] = await sql<AnswerRecord[]>`
    select model, ${answerStatistics(sql)}
    from (
      select b.model, r.output_tokens, r.attempts
      from batches b
      join chunks c on c.batch_key = b.key and c.in_preview
      join results r on r.batch_key = b.key and r.index = c.first
      where b.key = ${batchKey} and r.status = 'SUCCEEDED' and r.output_tokens > 0
    ) answers
    group by model having count(*) >= ${minAnswers}`;
  return found ?? null;
}

/** Statistics of rows with these columns of an answer. */
function answerStatistics(sql: Sql) {
  return sql`
    count(*)::int as answers, avg(output_tokens)::float8 as "meanTokens",
    coalesce(stddev_samp(output_tokens), 0)::float8 as deviation,
    greatest(1, avg(attempts))::float8 as "requestsPerItem"`;
}

/** Tokens of counted prompts, and those that were billed for them. */
export interface BilledPrompts {
  /** Tokens that were billed for one that had been counted, those of repairs included. */
  ratio: number;
  /** Tokens of a prompt as they had been counted, on average. */
  countedTokens: number;
  /** By the same operation with the same options. */
  isSame: boolean;
}

/**
 * Prompts that were billed to an owner in the last 30 days for this model: by the same operation
 * with the same options where enough of its answers tell, else by any. Null where fewer than 50
 * answers tell. Complete requests are told apart from prompts of Winnow's own: they may have
 * images.
 */
export async function readBilledPrompts(
  sql: Sql,
  asked: {
    owner: string;
    model: string;
    optionsHash: Buffer;
    isChat: boolean;
    before: bigint | null;
  },
): Promise<BilledPrompts | null> {
  const { owner, model, optionsHash, isChat, before } = asked;
  const [found] = await sql<BilledPrompts[]>`
    with recent as materialized (
      -- By items: requests that were refused for the rate of them are not billed.
      select options_hash = ${optionsHash} as same, input_tokens,
             succeeded + failed - twins_recorded as answered, counted_tokens / (total - twins) as counted
      from batches
      where owner = ${owner} and model = ${model} and counted_tokens > 0 and total > twins
        and (operation = 'chat') = ${isChat} and created_at > now() - interval '30 days'
        and (${before}::bigint is null or key < ${before}::bigint)
      order by key desc limit ${maxBatches}
    )
    select sum(input_tokens)::float8 / sum(counted * answered) as ratio,
           sum(counted * answered) / sum(answered) as "countedTokens", k.same as "isSame"
    from (values (true), (false)) as k(same) join recent r on r.same or not k.same
    where answered > 0
    group by k.same
    having sum(answered) >= ${minBilledAnswers} and sum(input_tokens) > 0
    order by k.same desc limit 1`;
  return found ?? null;
}
