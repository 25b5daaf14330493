/** The texts in the rows of a file that prompts are made of: rows are identical where these are. */
import type { TakenText } from '../db/twins.ts';
import type { TakenParts } from '../operations/operation.ts';
import { planOf, type RowFile } from './row.ts';

/** `takes` is what an operation takes of an item; undefined where that is the whole request. */
export function takenTexts(rows: RowFile, takes: TakenParts | undefined): TakenText[] {
  if (!takes) return [{ kind: 'content' }, { kind: 'request', idField: rows.customIdField }];
  return [
    // Inline items and texts have it in a column of its own, whatever else is taken.
    ...(takes.content ? [{ kind: 'content' } as const] : []),
    ...(rows.format === 'CSV' ? cellsTaken(rows, takes) : membersTaken(rows, takes)),
  ];
}

function cellsTaken(file: RowFile, { content, fields, metadata }: TakenParts): TakenText[] {
  const { names, content: text, customId } = planOf(file);
  const all: TakenText =
    customId < 0 ? { kind: 'fields' } : { kind: 'otherCells', column: customId };
  if (metadata || (content && text < 0)) return [all];
  return [
    ...(content ? [text] : []),
    ...fields.map((name) => (name === 'content' && text >= 0 ? text : names.indexOf(name))),
  ].map((column) => ({ kind: 'cell', column }));
}

function membersTaken(file: RowFile, { content, fields, metadata }: TakenParts): TakenText[] {
  const { contentField, customIdField } = file;
  const isWhole = content && contentField === null;
  const taken: TakenText[] = [
    ...(isWhole ? [{ kind: 'fields' } as const] : []),
    ...(content && contentField !== null ? [{ kind: 'member', name: contentField } as const] : []),
    ...fields.map((name) => ({ kind: 'member', name }) as const),
  ];
  if (!metadata) return taken;
  return [
    ...taken,
    customIdField === null ? { kind: 'metadata' } : { kind: 'otherMembers', name: customIdField },
  ];
}
