/** The spending of a month, by model and way of execution. */
import { useState } from 'react';
import { graphql } from '../../data/graphql.ts';
import { useLiveQuery } from '../../data/use-live-query.ts';
import { Empty, PartError, Skeleton, Unknown } from '../../parts/part.tsx';
import { aboutCount, count, usd } from '../../words/numbers.ts';
import { visible } from '../../words/text.ts';

const MonthSpending = graphql(`
  query MonthSpending($month: String) {
    spending(month: $month) {
      month
      budgetUsd
      remainingUsd
      usage {
        costUsd
        requests
      }
      byModel {
        model
        execution
        usage {
          requests
          inputTokens
          outputTokens
          costUsd
        }
      }
    }
  }
`);

const kept = 25;

export function Spending() {
  const [month, setMonth] = useState<string | null>(null);
  const [{ data, error }, ask] = useLiveQuery({ query: MonthSpending, variables: { month } });
  const spending = data?.spending;
  return (
    <section className="card" aria-labelledby="spending">
      <div className="row wrap">
        <h2 id="spending">Spending</h2>
        <label className="hidden" htmlFor="month">
          Month
        </label>
        <select
          id="month"
          className="input month"
          value={month ?? ''}
          onChange={(event) => setMonth(event.target.value || null)}
        >
          {lastMonths().map((one, at) => (
            <option key={one} value={at === 0 ? '' : one}>
              {one}
            </option>
          ))}
        </select>
      </div>
      {error && (
        <PartError
          what="The spending"
          error={error}
          again={() => ask({ requestPolicy: 'network-only' })}
        />
      )}
      {!spending && !error && <Skeleton lines={3} />}
      {spending && (
        <p>
          <Sum {...spending.usage} />
          {spending.budgetUsd !== null && (
            <span className="soft">
              {' '}
              of {usd(spending.budgetUsd)} this month
              {spending.remainingUsd !== null && `, ${usd(spending.remainingUsd)} are left`}
            </span>
          )}
        </p>
      )}
      {spending && spending.byModel.length === 0 && (
        <Empty title="No model was called this month" />
      )}
      {spending && spending.byModel.length > 0 && (
        <table>
          <thead>
            <tr>
              <th>model</th>
              <th>how</th>
              <th className="right">requests</th>
              <th className="right">tokens in</th>
              <th className="right">tokens out</th>
              <th className="right">cost</th>
            </tr>
          </thead>
          <tbody>
            {spending.byModel.map(({ model, execution, usage }) => (
              <tr key={`${model} ${execution}`}>
                <td className="mono cut">{visible(model)}</td>
                <td>{execution === 'LIVE' ? 'live' : 'batch API'}</td>
                <td className="right" data-name="requests">
                  {count(usage.requests)}
                </td>
                <td className="right" data-name="tokens in">
                  {aboutCount(usage.inputTokens)}
                </td>
                <td className="right" data-name="tokens out">
                  {aboutCount(usage.outputTokens)}
                </td>
                <td className="right" data-name="cost">
                  {usage.costUsd === null ? <Unknown why="no price" /> : usd(usage.costUsd)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Sum({ costUsd, requests }: { costUsd: number | null; requests: number }) {
  if (costUsd !== null) return <b>{usd(costUsd)}</b>;
  return requests === 0 ? (
    'Nothing was sent.'
  ) : (
    <Unknown why="a model has no known price, which PRICES can name" />
  );
}

/** `2026-11`, the present month first; in UTC, as the server counts. */
function lastMonths(): string[] {
  const now = new Date();
  return Array.from({ length: kept }, (_, back) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1)).toISOString().slice(0, 7),
  );
}
