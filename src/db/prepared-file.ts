/** The form of a batch's file, for the steps that prepare the batch. */
import type { Sql } from './driver/client.ts';

export interface PreparedFile {
  file: {
    listed: boolean;
    format: string;
    /** JSON text. */
    columns: string;
    contentField: string | null;
    customIdField: string | null;
    encoding: string | null;
  };
  reading: {
    contentField: string | null;
    customIdField: string | null;
    customIdPrefix: string | null;
  };
}

/** The two columns, of rows `b` of `batches` and `f` of `files`. */
export function preparedFile(sql: Sql) {
  return sql`
    json_build_object('listed', f.listed, 'format', f.format, 'columns', f.columns,
      'contentField', f.content_field, 'customIdField', f.custom_id_field, 'encoding', f.encoding) as file,
    json_build_object('contentField', b.content_field, 'customIdField', b.custom_id_field,
      'customIdPrefix', b.custom_id_prefix) as reading`;
}
