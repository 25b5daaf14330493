/** Rows of a file as they are, one line each. */
import { oneLine } from '../words/text.ts';

/** Most characters of a cell, which the style cuts to the width of its column. */
const cellCharacters = 120;

export function RowTable({
  name,
  columns,
  rows,
  most,
  chosen,
}: {
  /** Name of the table, for people who hear the page. */
  name: string;
  columns: readonly string[];
  rows: readonly Record<string, unknown>[];
  /** More columns than these are counted, not shown. */
  most: number;
  /** The column that stands out. */
  chosen?: string | null;
}) {
  if (rows.length === 0) return <p className="soft">The file has no rows.</p>;
  const shown = columns.slice(0, most);
  const more = columns.length - shown.length;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by the keyboard. */}
      <section className="row-table" tabIndex={0} aria-label={name}>
        <table>
          <thead>
            <tr>
              {shown.map((column) => (
                <th
                  key={column}
                  scope="col"
                  className={column === chosen ? 'cut name chosen' : 'cut name'}
                >
                  {oneLine(column, 60)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, at) => (
              <tr key={at}>
                {shown.map((column) => (
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
  if (value === undefined || value === null) return '';
  return oneLine(typeof value === 'string' ? value : JSON.stringify(value), cellCharacters);
}
