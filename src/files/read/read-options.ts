import type { FieldOptions } from './fields.ts';
import type { FileFormat } from './format.ts';

/** Settings for reading a file, where its owner gives any. */
export interface ReadOptions extends FieldOptions {
  /** Believed as it is. */
  format?: FileFormat | undefined;
  /** A label that TextDecoder knows, in lower case. A byte order mark goes before it. */
  charset?: string | undefined;
  /** The byte between two cells of a CSV row. */
  delimiter?: number | undefined;
  /** `"` where cells may be quoted, `none` where a quote is text. */
  quote?: '"' | 'none' | undefined;
  /** The member of the file's one JSON object that holds the rows. */
  rowsField?: string | undefined;
}
