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
  return anyOf(sql, [
    sql`i.content ilike ${`%${escapedPattern(text)}%`}`,
    hasJson(sql, sql`i.fields`, text),
    hasJson(sql, sql`r.output`, text),
  ]);
}

/** Beginnings that may be the end of an escape: \\n, say, is a line break and no n. */
const mayEndEscape = /^[nrtbf\\]/i;

/** JSON that has more escapes than it needs is compared by a pattern that has all of them. */
function hasJson(sql: Sql, column: ReturnType<Sql>, text: string) {
  const escaped = JSON.stringify(text).slice(1, -1);
  const isThere = sql`${column} ilike ${`%${escapedPattern(escaped)}%`}`;
  const wholly = `${outsideOfEscape}${patternOf(escaped)}`;
  return sql`case
    when strpos(${column}, ${'\\u'}) > 0 or strpos(${column}, ${'\\/'}) > 0
    then ${column} ~* ${`${outsideOfEscape}${[...text].map(anyForm).join('')}`}
    else ${mayEndEscape.test(escaped) ? sql`case when ${isThere} then ${column} ~* ${wholly} else false end` : isThere} end`;
}

/** Behind no odd backslash, and not among the digits of an escape. */
const outsideOfEscape = String.raw`(?<!\\|(?:^|[^\\])(?:\\\\)*\\u[0-9a-f]{0,3})(?:\\\\)*`;

/** A character in each form that JSON may have of it, in either case. */
function anyForm(character: string): string {
  const forms = new Set([
    JSON.stringify(character).slice(1, -1),
    ...(character === '/' ? ['\\/'] : []),
    ...[character, character.toLowerCase(), character.toUpperCase()].map(inHex),
  ]);
  return `(?:${[...forms].map(patternOf).join('|')})`;
}

function inHex(text: string): string {
  const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}

/** A text as a regular expression that has it as it stands. */
function patternOf(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
}

function anyOf(sql: Sql, conditions: ReturnType<typeof sql<object[]>>[]) {
  return sql`(${conditions.reduce((all, next) => sql`${all} or ${next}`, sql`false`)})`;
}
