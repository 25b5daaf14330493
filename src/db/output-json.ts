import type postgres from 'postgres';
import type { Sql } from './driver/client.ts';

/**
 * The output of a row `r` of `results` as json, of which members can be read. JSON may escape what
 * a text of Postgres cannot hold, NUL and half of a surrogate pair: these become U+FFFD.
 */
export function outputJson(sql: Sql): postgres.Fragment {
  return sql`(case when strpos(r.output, '\\u') = 0 then r.output
    else regexp_replace(r.output, ${unreadable}, '\\1\\ufffd', 'g') end)::json`;
}

/** Such an escape, behind whole pairs of backslashes. JSON.stringify writes it in lower case. */
const unreadable = '(?<!\\\\)((?:\\\\\\\\)*)\\\\u(?:0000|d[89a-f][0-9a-f]{2})';
