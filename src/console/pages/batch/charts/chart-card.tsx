/** A chart in its card. The same numbers can be had as a table. */
import { ChartNoAxesColumn, Table } from 'lucide-react';
import { type ReactNode, useState } from 'react';

export function ChartCard({
  title,
  beside,
  children,
  columns,
  rows,
}: {
  title: string;
  beside?: ReactNode;
  children: ReactNode;
  /** Heads of the table. The first is at the left, numbers are at the right. */
  columns: readonly string[];
  rows: readonly (readonly string[])[];
}) {
  const [asTable, setAsTable] = useState(false);
  const Icon = asTable ? ChartNoAxesColumn : Table;
  return (
    <section className="card chart" aria-label={title}>
      <div className="row">
        <h2>{title}</h2>
        <span className="grow" />
        {beside}
        <button
          type="button"
          className="icon-button"
          aria-label={asTable ? `${title} as a chart` : `${title} as a table`}
          title={asTable ? 'As a chart' : 'As a table'}
          onClick={() => setAsTable(!asTable)}
        >
          <Icon size={14} aria-hidden="true" />
        </button>
      </div>
      {asTable ? <NumbersTable title={title} columns={columns} rows={rows} /> : children}
    </section>
  );
}

function NumbersTable({
  title,
  columns,
  rows,
}: {
  title: string;
  columns: readonly string[];
  rows: readonly (readonly string[])[];
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <section className="chart-table" tabIndex={0} aria-label={`${title}, numbers`}>
      <table>
        <thead>
          <tr>
            {columns.map((name, at) => (
              <th key={name} scope="col" className={at > 0 ? 'right' : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells, row) => (
            <tr key={`${row} ${cells[0]}`}>
              {cells.map((cell, at) => (
                <td key={columns[at]} className={at > 0 ? 'right' : 'cut name'}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
