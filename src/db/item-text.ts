/** The text of items, whole or cut for a list. */
import type postgres from 'postgres';
import type { Sql } from './driver/client.ts';
import { readableJson } from './output-json.ts';

/**
 * Where the text of a row stands, and its id where the row itself has that: as members of an
 * object, at places of an array, from 0, or all of the row is text.
 */
export type RowCut =
  | { kind: 'text' }
  | { kind: 'array'; content: number; id: number | null }
  | { kind: 'object'; content: string; id: string | null };

/** Rows up to this size are read whole: there is little to save. */
const smallBytes = 4_096;
/** Characters of a text that are looked at for its beginning. */
const lookedAt = 8_000;
/** The most that a list shows of a text. */
const shown = 1_000;
/** White space of ASCII: other white space is for who shows the text. */
const blanks = '[ \\t\\n\\v\\f\\r]{2,}';

/**
 * A table `t` with `content` and `fields` of the row `i`. Cut: those of a larger row have the
 * beginning of its text, runs of white space as one blank, and its id, in the form of the row.
 */
export function itemText(sql: Sql, cut: RowCut | null): postgres.Fragment {
  if (cut === null) return sql`cross join lateral (select i.content, i.fields) t`;
  const isLarge = sql`coalesce(octet_length(i.content), 0) + coalesce(octet_length(i.fields), 0) > ${smallBytes}`;
  const text = cut.kind === 'text' ? sql`coalesce(i.content, i.fields)` : sql`i.content`;
  const fields = cut.kind === 'text' ? sql`null` : sql`coalesce(${cutFields(sql, cut)}, i.fields)`;
  return sql`
    cross join lateral (
      select case when ${isLarge} then ${begun(sql, text)} else i.content end as content,
             case when not (${isLarge}) then i.fields when i.content is null then ${fields} end as fields
    ) t`;
}

function begun(sql: Sql, text: postgres.Fragment): postgres.Fragment {
  return sql`left(regexp_replace(left(${text}, ${lookedAt}), ${blanks}, ' ', 'g'), ${shown})`;
}

/** Null where the row lacks what is looked for. */
function cutFields(sql: Sql, cut: Exclude<RowCut, { kind: 'text' }>): postgres.Fragment {
  const json = sql.unsafe(readableJson('i.fields'));
  switch (cut.kind) {
    case 'object': {
      const { content, id } = cut;
      const text = sql`(${json} ->> ${content}::text)`;
      const members =
        id === null || id === content
          ? sql`${content}::text, ${begun(sql, text)}`
          : sql`${content}::text, ${begun(sql, text)}, ${id}::text, ${json} -> ${id}::text`;
      const hasId = id === null ? sql`` : sql`and ${json} -> ${id}::text is not null`;
      return sql`case when ${text} is not null ${hasId} then json_build_object(${members})::text end`;
    }
    case 'array': {
      const { content, id } = cut;
      return sql`(
        select json_agg(case when cell.place = ${content + 1} then to_json(${begun(sql, sql`(cell.value #>> '{}')`)})
                             when cell.place = ${(id ?? -1) + 1} then cell.value
                             else '""'::json end order by cell.place)::text
        from json_array_elements(${json}) with ordinality as cell(value, place))`;
    }
  }
}
