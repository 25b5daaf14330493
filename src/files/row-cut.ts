/** The part of a row that a list shows: the beginning of its text, and its id. */
import type { RowCut } from '../db/item-text.ts';
import { planOf, type RowFile } from './row.ts';

/**
 * The way in which the database cuts rows of a file. Null where the text is made of more than one
 * field, or stands deeper: such rows are read whole.
 */
export function rowCutOf(file: RowFile): RowCut | null {
  const { format, contentField, customIdField, idsInFields = false } = file;
  switch (format) {
    case 'TEXT':
      return { kind: 'text' };
    case 'CSV': {
      const { content, customId } = planOf(file);
      return content < 0 ? null : { kind: 'array', content, id: idsInFields ? customId : null };
    }
    case 'JSON':
    case 'JSONL':
      if (contentField === null) return idsInFields ? null : { kind: 'text' };
      return { kind: 'object', content: contentField, id: idsInFields ? customIdField : null };
    default:
      return null;
  }
}
