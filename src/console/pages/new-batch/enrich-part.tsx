/** The fields that enrich fills in: a row of inputs each. */
import { Button } from '../../parts/button.tsx';
import { emptyField, type FieldRow, fieldTypes } from './enrich-fields.ts';

const words: Readonly<Record<FieldRow['type'], string>> = {
  TEXT: 'text',
  NUMERIC: 'number',
  BOOLEAN: 'yes or no',
  CATEGORICAL: 'one of …',
  DATE: 'date',
  LIST: 'list',
};

export function EnrichFields({
  rows,
  change,
  problem,
}: {
  rows: readonly FieldRow[];
  change: (rows: FieldRow[]) => void;
  problem?: string;
}) {
  const changeRow = (at: number, changes: Partial<FieldRow>) =>
    change(rows.map((row, one) => (one === at ? { ...row, ...changes } : row)));
  return (
    <fieldset className="enrich">
      <legend>Fields</legend>
      {rows.map((row, at) => (
        <div key={at} className="enrich-row">
          <input
            className="input"
            aria-label={`Name of field ${at + 1}`}
            placeholder="name"
            aria-invalid={problem !== undefined && at === 0 ? true : undefined}
            value={row.name}
            onChange={(event) => changeRow(at, { name: event.target.value })}
          />
          <select
            className="input"
            aria-label={`Type of field ${at + 1}`}
            value={row.type}
            onChange={(event) => changeRow(at, { type: event.target.value as FieldRow['type'] })}
          >
            {fieldTypes.map((type) => (
              <option key={type} value={type}>
                {words[type]}
              </option>
            ))}
          </select>
          {row.type === 'CATEGORICAL' ? (
            <input
              className="input"
              aria-label={`Values of field ${at + 1}`}
              placeholder="values, with commas"
              value={row.values}
              onChange={(event) => changeRow(at, { values: event.target.value })}
            />
          ) : (
            <input
              className="input"
              aria-label={`Meaning of field ${at + 1}`}
              placeholder="what it means"
              value={row.description}
              onChange={(event) => changeRow(at, { description: event.target.value })}
            />
          )}
          <Button
            small
            disabled={rows.length === 1}
            aria-label={`Remove field ${at + 1}`}
            onClick={() => change(rows.filter((_, one) => one !== at))}
          >
            Remove
          </Button>
        </div>
      ))}
      <Button small onClick={() => change([...rows, emptyField])}>
        Add a field
      </Button>
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </fieldset>
  );
}
