/** Fields that enrich fills in, as rows of the form. */

export const fieldTypes = ['TEXT', 'NUMERIC', 'BOOLEAN', 'CATEGORICAL', 'DATE', 'LIST'] as const;

export interface FieldRow {
  name: string;
  type: (typeof fieldTypes)[number];
  description: string;
  /** Values of CATEGORICAL, with commas. */
  values: string;
}

export const emptyField: FieldRow = { name: '', type: 'TEXT', description: '', values: '' };

export function readFieldRows(rows: readonly FieldRow[]): {
  fields: Record<string, unknown>[];
  problem: string | null;
} {
  const named = rows.filter(({ name }) => name.trim() !== '');
  const fields = named.map(({ name, type, description, values }) => {
    const validValues = values
      .split(/[,\n]/)
      .map((value) => value.trim())
      .filter(Boolean);
    return {
      name: name.trim(),
      type,
      ...(description.trim() ? { description: description.trim() } : {}),
      ...(validValues.length > 0 && type === 'CATEGORICAL' ? { validValues } : {}),
    };
  });
  return { fields, problem: named.length === 0 ? 'Name at least one field' : null };
}
