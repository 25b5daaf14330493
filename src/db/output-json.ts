import type postgres from 'postgres';
import type { Sql } from './driver/client.ts';

/** Such an escape, behind whole pairs of backslashes. JSON.stringify writes it in lower case. */
const unreadable = String.raw`(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})`;

/**
 * The output of a row `r` of `results` as json, of which members can be read, as text of SQL. JSON
 * may escape what a text of Postgres cannot hold, NUL and half of a surrogate pair: these become
 * U+FFFD.
 */
export const outputAsJson = String.raw`(case when strpos(r.output, E'\\u') = 0 then r.output
    else regexp_replace(r.output, ${escaped(unreadable)}, E'\\1\\ufffd', 'g') end)::json`;

/** The same as a part of a statement. */
export function outputJson(sql: Sql): postgres.Fragment {
  return sql.unsafe(outputAsJson);
}

/** With its backslashes, whether or not the server takes them for escapes. */
function escaped(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\')}'`;
}
