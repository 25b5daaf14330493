/** Which items of a batch a list has. */
import type { ItemErrorCode } from '../core/errors.ts';
import { type AnswerFilter, answerConditions, escapedPattern } from './answer-filter.ts';
import { itemsNamed } from './custom-ids.ts';
import type { Sql } from './driver/client.ts';
import { isAsked } from './guards.ts';
import type { FinalStatus } from './tables.ts';

export type ItemStatus = FinalStatus | 'PENDING' | 'PROCESSING';

/** Which batch, and over which file. */
export interface ItemSource {
  batchKey: bigint;
  fileKey: bigint;
}

/** Conditions are joined by AND; undefined ones are left out. */
export interface ItemFilter {
  status?: readonly ItemStatus[] | undefined;
  customIds?: readonly string[] | undefined;
  errorCodes?: readonly ItemErrorCode[] | undefined;
  answers?: AnswerFilter | undefined;
  /** In the input or the output, in either case. */
  search?: string | undefined;
}

/** The conditions on a row `i` of `rows` and its result `r`, whose columns may be null. */
export function itemConditions(sql: Sql, source: ItemSource, filter: ItemFilter) {
  const { status, customIds, errorCodes, answers, search } = filter;
  return sql`
    i.file_key = ${source.fileKey}
    ${status ? sql`and ${hasStatus(sql, source, status)}` : sql``}
    ${customIds ? sql`and i.index in ${itemsOf(sql, source, customIds)}` : sql``}
    ${errorCodes ? sql`and r.status <> 'SUCCEEDED' and r.error_code = any(${[...errorCodes]}::text[])` : sql``}
    ${answers ? sql`and ${sql.unsafe(answerConditions(answers).text)}` : sql``}
    ${search === undefined ? sql`` : sql`and ${hasText(sql, search)}`}`;
}

/** The indexes of the items of a batch with these custom ids, as a query. */
export function itemsOf(sql: Sql, { batchKey }: ItemSource, customIds: readonly string[]) {
  return itemsNamed(sql, sql`select * from batches where key = ${batchKey}`, customIds);
}

function hasStatus(sql: Sql, { batchKey }: ItemSource, status: readonly ItemStatus[]) {
  const leased = sql`exists (
    select from chunks c
    where c.batch_key = ${batchKey} and c.state = 'leased' and i.index between c.first and c.last
      and ${isAsked(sql, sql`c`, sql`i.index`)})`;
  const finals = status.filter((one) => one !== 'PENDING' && one !== 'PROCESSING');
  // Said in these words so that the partial index over unsuccessful results serves it.
  const unsuccessful = finals.includes('SUCCEEDED') ? sql`` : sql`r.status <> 'SUCCEEDED' and`;
  return anyOf(sql, [
    ...(finals.length > 0
      ? [sql`(${unsuccessful} r.status = any(${[...finals]}::text[]::final_status[]))`]
      : []),
    ...(status.includes('PENDING') ? [sql`(r.index is null and not ${leased})`] : []),
    ...(status.includes('PROCESSING') ? [sql`(r.index is null and ${leased})`] : []),
  ]);
}

/** Rows with fields and outputs are stored as JSON, in which the text is escaped. */
function hasText(sql: Sql, text: string) {
  const inJson = JSON.stringify(text).slice(1, -1);
  return anyOf(sql, [
    sql`i.content ilike ${`%${escapedPattern(text)}%`}`,
    hasJson(sql, sql`i.fields`, inJson),
    hasJson(sql, sql`r.output`, inJson),
  ]);
}

/** Beginnings that may be the end of an escape: \\n, say, is a line break and no n. */
const mayEndEscape = /^[nrtbf\\]/i;

function hasJson(sql: Sql, column: ReturnType<Sql>, text: string) {
  const isThere = sql`${column} ilike ${`%${escapedPattern(text)}%`}`;
  if (!mayEndEscape.test(text)) return isThere;
  const wholly = String.raw`(?<!\\)(?:\\\\)*${text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')}`;
  return sql`case when ${isThere} then ${column} ~* ${wholly} else false end`;
}

function anyOf(sql: Sql, conditions: ReturnType<typeof sql<object[]>>[]) {
  return sql`(${conditions.reduce((all, next) => sql`${all} or ${next}`, sql`false`)})`;
}
