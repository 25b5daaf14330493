/** The use of the limits of the key's owner; nothing where there are none. */
import { useState } from 'react';
import { graphql } from '../data/graphql.ts';
import { usePolledQuery } from '../data/use-polled-query.ts';
import { aboutCount, bytes, useTimes } from '../words/numbers.ts';

const OwnerLimits = graphql(`
  query OwnerLimits {
    ownerLimits {
      activeBatches {
        allowed
        used
        resetsAt
      }
      itemsPerDay {
        allowed
        used
        resetsAt
      }
      storageBytes {
        allowed
        used
        resetsAt
      }
      requestsPerMinute {
        allowed
        used
        resetsAt
      }
      modelCalls {
        allowed
        used
        resetsAt
      }
      models
    }
  }
`);

const everyMs = 30_000;

const shown = [
  ['Batches at work', 'activeBatches', aboutCount],
  ['Items today', 'itemsPerDay', aboutCount],
  ['Stored', 'storageBytes', bytes],
  ['Requests a minute', 'requestsPerMinute', aboutCount],
  ['Model calls at once', 'modelCalls', aboutCount],
] as const;

export function OwnerLimitsFooter() {
  const [isLimited, setLimited] = useState(false);
  // Without limits it is asked for once.
  const { data } = usePolledQuery({ query: OwnerLimits }, isLimited ? everyMs : null);
  const times = useTimes();
  const limits = data?.ownerLimits;
  if (!limits || Object.values(limits).every((limit) => limit === null)) return null;
  if (!isLimited) setLimited(true);
  return (
    <footer className="limits">
      <h2 className="hidden">Your limits</h2>
      <dl>
        {shown.map(([name, field, format]) => {
          const limit = limits[field];
          if (!limit) return null;
          const isFull = limit.used >= limit.allowed;
          return (
            <div key={field} className={isFull ? 'full' : undefined}>
              <dt>{name}</dt>
              <dd>
                {format(limit.used)} of {format(limit.allowed)}
                {isFull && limit.resetsAt && `, room again ${times.soon(limit.resetsAt)}`}
              </dd>
            </div>
          );
        })}
        {limits.models && (
          <div>
            <dt>Models</dt>
            <dd className="mono">{limits.models.join(', ')}</dd>
          </div>
        )}
      </dl>
    </footer>
  );
}
