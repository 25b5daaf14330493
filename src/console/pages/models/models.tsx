/** The models that the server knows, with prices. */
import { useState } from 'react';
import { graphql } from '../../data/graphql.ts';
import { useLiveQuery } from '../../data/use-live-query.ts';
import { PartError, Skeleton } from '../../parts/part.tsx';
import { aboutCount, many } from '../../words/numbers.ts';
import { visible } from '../../words/text.ts';

const ModelList = graphql(`
  query ModelList {
    service {
      models {
        id
        contextTokens
        inputPrice
        cachedInputPrice
        outputPrice
        providerBatch
      }
    }
  }
`);

export function Models() {
  const [{ data, error }, ask] = useLiveQuery({ query: ModelList });
  const [find, setFind] = useState('');
  const all = data?.service.models ?? [];
  const shown = all.filter(({ id }) => id.toLowerCase().includes(find.trim().toLowerCase()));
  return (
    <section className="card" aria-labelledby="models">
      <div className="row wrap">
        <h2 id="models">Models</h2>
        <span className="soft small">prices in USD a million tokens</span>
        <span className="grow" />
        <label className="hidden" htmlFor="find-model">
          Find a model
        </label>
        <input
          id="find-model"
          className="input find"
          placeholder="Find a model"
          value={find}
          onChange={(event) => setFind(event.target.value)}
        />
      </div>
      {error && (
        <PartError
          what="The list of models"
          error={error}
          again={() => ask({ requestPolicy: 'network-only' })}
        />
      )}
      {!data && !error && <Skeleton lines={6} />}
      {data && shown.length === 0 && <p className="soft">No model has such a name.</p>}
      {shown.length > 0 && (
        <table className="model-table">
          <thead>
            <tr>
              <th>model</th>
              <th className="right">in</th>
              <th className="right">cached</th>
              <th className="right">out</th>
              <th className="right">context</th>
              <th>batch API</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((model) => (
              <tr key={model.id}>
                <td className="mono cut">{visible(model.id)}</td>
                <td className="right" data-name="in">
                  {price(model.inputPrice)}
                </td>
                <td className="right" data-name="cached">
                  {price(model.cachedInputPrice)}
                </td>
                <td className="right" data-name="out">
                  {price(model.outputPrice)}
                </td>
                <td className="right" data-name="context">
                  {model.contextTokens === null ? 'unknown' : aboutCount(model.contextTokens)}
                </td>
                <td data-name="batch API">
                  {{ true: 'yes', false: 'no', null: 'unknown' }[`${model.providerBatch}`]}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {data && <p className="soft small">{many(shown.length, 'model')}</p>}
    </section>
  );
}

function price(value: number | null): string {
  if (value === null) return 'unknown';
  return value === 0 ? 'free' : `$${value.toFixed(value < 0.1 ? 4 : 2)}`;
}
