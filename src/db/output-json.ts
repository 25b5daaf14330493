import type postgres from 'postgres';
import type { Sql } from './driver/client.ts';

/** Such an escape, behind whole pairs of backslashes. JSON.stringify writes it in lower case. */
const unreadable = String.raw`(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})`;

/**
 * A column of JSON text as json, of which members can be read, as text of SQL. JSON may escape what
 * a text of Postgres cannot hold, NUL and half of a surrogate pair: these become U+FFFD.
 */
export function readableJson(column: string): string {
  return String.raw`(case when strpos(${column}, E'\\u') = 0 then ${column}
    else regexp_replace(${column}, ${escaped(unreadable)}, E'\\1\\ufffd', 'g') end)::json`;
}

/** The output of a row `r` of `results` likewise. */
export const outputAsJson = readableJson('r.output');

/** The same as a part of a statement. */
export function outputJson(sql: Sql): postgres.Fragment {
  return sql.unsafe(outputAsJson);
}

/** With its backslashes, whether or not the server takes them for escapes. */
function escaped(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\')}'`;
}
