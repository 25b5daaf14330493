/**
 * Items for outputs of any size: a range of indexes a statement, through COPY in its binary format,
 * in which nothing is escaped.
 */

import type { ItemErrorCode } from '../core/errors.ts';
import type { Usage } from '../core/usage.ts';
import { type AnswerFilter, answerConditions } from './answer-filter.ts';
import {
  type CopyBuffer,
  headerBytes,
  nullSize,
  readInt16,
  readInt32,
  trailer,
} from './copy-buffer.ts';
import { type Copy, CopySql, copySql } from './driver/copy.ts';
import type { ItemSource, ItemStatus } from './item-filter.ts';
import { earlierUsage, itemUsage, usageNames, wasNeverAsked } from './usage.ts';

/**
 * An item as it goes out. Texts are byte strings: a character, of 0 to 255, for each byte of their
 * UTF-8, so that what goes out as it is stored is never decoded. `fields` and `output` are JSON
 * text.
 */
export interface ExportedItem {
  index: number;
  customId: string | null;
  content: string | null;
  fields: string | null;
  /** Its number in the file where that is not index + 1; null where it is, or rows have none. */
  row: number | null;
  status: ItemStatus;
  output: string | null;
  errorCode: ItemErrorCode | null;
  errorMessage: string | null;
  /** The beginning of the last answer that was refused. */
  rejectedAnswer: string | null;
  /** The cost of its answers, those that a retry put aside included; null before the result. */
  usage: Usage | null;
  /** In seconds since 1970; null before the result. */
  completedAt: number | null;
  /** Requests whose answer counted against it, those that a retry put aside included. */
  attempts: number | null;
  /** It took the answer of an identical row; false where that is not asked for. */
  cached: boolean;
}

/** Which items, and what of them. Both ends of the range are in it. */
export interface ExportRange {
  source: ItemSource;
  first: number;
  last: number;
  /** Only items with one of these statuses; all when undefined. */
  status: readonly ItemStatus[] | undefined;
  /** Only items with such answers; all when undefined. */
  answers?: AnswerFilter | undefined;
  /** Columns that cost something to read; an unwanted one is null. */
  with: ExportColumns;
}

export interface ExportColumns {
  /** Content and fields. */
  row: boolean;
  usage: boolean;
  completedAt: boolean;
  rejectedAnswer: boolean;
  /** Only with `usage`. */
  attempts: boolean;
  /** Which items took the answer of an identical row; these have no usage then. */
  cached: boolean;
}

/**
 * Reads a range into an empty buffer, as they stand at one instant, in order. False when it holds
 * more than `maxBytes`: then what is in the buffer is of no use.
 */
export async function readItemRange(
  copy: Copy,
  range: ExportRange,
  { buffer, maxBytes }: { buffer: CopyBuffer; maxBytes: number },
): Promise<boolean> {
  return await buffer.fill(copy.out(selectRange(range)), maxBytes);
}

/**
 * The items in a buffer that `readItemRange` has filled. Without a closure for each: a million of
 * them cost more than all the rest.
 */
export function* itemsIn({ bytes, length }: CopyBuffer): Generator<ExportedItem, void, undefined> {
  // Where each column begins, seen from the row's first byte, and its length; -1 for null.
  const starts = new Int32Array(columnCount);
  const sizes = new Int32Array(columnCount);
  let at = headerBytes;
  while (at < length && readInt16(bytes, at) !== trailer) {
    const from = at;
    at += 2;
    for (let column = 0; column < columnCount; column += 1) {
      const size = readInt32(bytes, at);
      at += 4;
      starts[column] = at - from;
      sizes[column] = size;
      if (size > 0) at += size;
    }
    // One call for the whole row: each costs more than the bytes.
    const row = bytes.toString('latin1', from, at);
    const status = textAt(row, starts[4], sizes[4]) as ItemStatus;
    const usage = usageAt(bytes, from, starts, sizes);
    const cached = isTrueAt(bytes, from, starts[12], sizes[12]);
    yield {
      index: readInt32(bytes, from + (starts[0] as number)),
      customId: textAt(row, starts[1], sizes[1]),
      content: textAt(row, starts[2], sizes[2]),
      fields: textAt(row, starts[3], sizes[3]),
      status,
      output: textAt(row, starts[5], sizes[5]),
      errorCode: textAt(row, starts[6], sizes[6]) as ItemErrorCode | null,
      errorMessage: textAt(row, starts[7], sizes[7]),
      completedAt: sizes[8] === nullSize ? null : bytes.readDoubleBE(from + (starts[8] as number)),
      row: sizes[9] === nullSize ? null : readInt32(bytes, from + (starts[9] as number)),
      rejectedAnswer: textAt(row, starts[10], sizes[10]),
      attempts: sizes[11] === nullSize ? null : readInt32(bytes, from + (starts[11] as number)),
      cached,
      usage:
        cached || (usage && wasNeverAsked({ status, requests: usage.requests })) ? null : usage,
    };
  }
}

function textAt(row: string, start = 0, size = nullSize): string | null {
  return size === nullSize ? null : row.slice(start, start + size);
}

function isTrueAt(bytes: Buffer, from: number, start = 0, size = nullSize): boolean {
  return size !== nullSize && bytes[from + start] === 1;
}

function usageAt(bytes: Buffer, from: number, starts: Int32Array, sizes: Int32Array): Usage | null {
  if (sizes[place.requests] === nullSize) return null;
  const row = { bytes, from, starts, sizes };
  return {
    requests: countAt(row, place.requests),
    inputTokens: countAt(row, place.inputTokens),
    cachedInputTokens: countAt(row, place.cachedInputTokens),
    cacheWriteTokens: countAt(row, place.cacheWriteTokens),
    cacheWriteLongTokens: countAt(row, place.cacheWriteLongTokens),
    outputTokens: countAt(row, place.outputTokens),
    reasoningTokens: countAt(row, place.reasoningTokens),
    unmeteredRequests: countAt(row, place.unmeteredRequests),
    costUsd:
      sizes[place.costUsd] === nullSize
        ? null
        : bytes.readDoubleBE(from + (starts[place.costUsd] as number)),
  };
}

/** A row's number in a column; null is 0. */
function countAt(
  row: { bytes: Buffer; from: number; starts: Int32Array; sizes: Int32Array },
  column: number,
): number {
  const { bytes, from, starts, sizes } = row;
  return sizes[column] === nullSize ? 0 : readInt32(bytes, from + (starts[column] as number));
}

/** Usage stands behind the other columns. */
const firstOfUsage = 13;
const columnCount = firstOfUsage + usageNames.length;
const place = Object.fromEntries(
  usageNames.map((name, at) => [name, firstOfUsage + at]),
) as Readonly<Record<keyof Usage, number>>;

/** The columns that `itemsIn` reads, in its order, with statuses as in items.ts. */
function selectRange({ source, first, last, status, answers, with: wanted }: ExportRange): CopySql {
  const { batchKey, fileKey } = source;
  const isTwin = copySql`exists (
    select from twins t where t.batch_key = ${batchKey} and t.index = i.index)`;
  const leased = copySql`exists (
    select from chunks c
    where c.batch_key = ${batchKey} and c.state = 'leased' and i.index between c.first and c.last
      ${wanted.cached ? copySql`and not ${isTwin}` : nothing})`;
  const usage = wanted.usage
    ? new CopySql(itemUsage)
    : new CopySql(usageNames.map(() => 'null').join(', '));
  const earlierAnswers = copySql`
    left join (
      select index, sum(attempts)::int as attempts, ${new CopySql(earlierUsage)}
      from superseded_results where batch_key = ${batchKey} and index between ${first} and ${last}
      group by index
    ) s on s.index = i.index`;
  return copySql`
    select i.index, i.custom_id, ${wanted.row ? copySql`i.content, i.fields` : copySql`null::text, null::text`},
      coalesce(r.status::text, case when ${leased} then 'PROCESSING' else 'PENDING' end),
      r.output, r.error_code, r.error_message,
      ${wanted.completedAt ? copySql`extract(epoch from r.completed_at)::float8` : copySql`null::float8`}, i.row,
      ${wanted.rejectedAnswer ? copySql`r.rejected_answer` : copySql`null::text`},
      ${wanted.attempts ? copySql`coalesce(r.attempts, 0) + coalesce(s.attempts, 0)` : copySql`null::int`},
      ${wanted.cached ? copySql`r.index is not null and ${isTwin}` : copySql`null::boolean`},
      ${usage}
    from rows i
    left join results r on r.batch_key = ${batchKey} and r.index = i.index and r.index between ${first} and ${last}
    ${wanted.usage ? earlierAnswers : nothing}
    where i.file_key = ${fileKey} and i.index between ${first} and ${last} ${status ? byStatus(status, leased) : nothing}
      ${answers ? copySql`and ${answerConditions(answers)}` : nothing}
    order by i.index`;
}

const nothing = copySql``;

const conditions: Readonly<Record<ItemStatus, (leased: CopySql) => CopySql>> = {
  PENDING: (leased) => copySql`(r.index is null and not ${leased})`,
  PROCESSING: (leased) => copySql`(r.index is null and ${leased})`,
  SUCCEEDED: () => copySql`r.status = 'SUCCEEDED'`,
  // Said in these words so that the partial index over unsuccessful results serves them.
  FAILED: () => copySql`(r.status <> 'SUCCEEDED' and r.status = 'FAILED')`,
  CANCELLED: () => copySql`(r.status <> 'SUCCEEDED' and r.status = 'CANCELLED')`,
  EXPIRED: () => copySql`(r.status <> 'SUCCEEDED' and r.status = 'EXPIRED')`,
};

function byStatus(status: readonly ItemStatus[], leased: CopySql): CopySql {
  const any = [...new Set(status)]
    .map((one) => conditions[one](leased))
    .reduce((all, next) => copySql`${all} or ${next}`, copySql`false`);
  return copySql`and (${any})`;
}
