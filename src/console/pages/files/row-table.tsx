/** Rows of a file as they are, one line each. */
import { oneLine } from '../../words/text.ts';

/** More columns than these are named, not shown. */
const maxColumns = 12;
const cellCharacters = 120;

export function RowTable({ rows }: { rows: readonly Record<string, unknown>[] }) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  if (rows.length === 0) return <p className="soft">The file has no rows.</p>;
  const more = columns.length - maxColumns;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by the keyboard. */}
      <section className="row-table" tabIndex={0} aria-label="Rows of the file">
        <table>
          <thead>
            <tr>
              {columns.slice(0, maxColumns).map((column) => (
                <th key={column} scope="col" className="cut name">
                  {oneLine(column, 60)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, at) => (
              <tr key={at}>
                {columns.slice(0, maxColumns).map((column) => (
                  <td key={column} dir="auto" className="cut">
                    {textOf(row[column])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {more > 0 && <p className="soft">and {more} more columns</p>}
    </>
  );
}

function textOf(value: unknown): string {
  if (value === undefined) return '';
  return oneLine(typeof value === 'string' ? value : JSON.stringify(value), cellCharacters);
}
