/** Which fields of the answers have a closed list of values, so that they can be counted. */
import type { Batch } from '../documents.ts';

type Json = Readonly<Record<string, unknown>>;

/** Names, in the order of the options; empty for operations without such fields. */
export function countableFields({ operation, options }: Pick<Batch, 'operation' | 'options'>) {
  if (operation === 'ENRICH') return enrichFields(options);
  if (operation === 'EXTRACT' && isObject(options.schema)) return schemaFields(options.schema);
  return [];
}

function enrichFields(options: Json): string[] {
  const fields = Array.isArray(options.fields) ? options.fields.filter(isObject) : [];
  return fields
    .filter(({ type }) => type === 'CATEGORICAL' || type === 'BOOLEAN')
    .map(({ name }) => String(name));
}

function schemaFields(schema: Json): string[] {
  const fields = isObject(schema.properties) ? schema.properties : schema;
  return Object.entries(fields)
    .filter(([, field]) => isClosed(field))
    .map(([name]) => name);
}

function isClosed(field: unknown): boolean {
  if (typeof field === 'string') return /^bool(ean)?\??$/.test(field);
  // In the short form a list of texts is what the value is one of.
  if (Array.isArray(field)) return field.length > 1;
  if (!isObject(field)) return false;
  const types = [field.type].flat();
  return Array.isArray(field.enum) || types.includes('boolean');
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
