/** The batches that run, or ran, over a file. */
import { Link } from 'wouter';
import { useLiveQuery } from '../../data/use-live-query.ts';
import { useWorkerCount } from '../../data/use-workers.ts';
import { PartError, Skeleton } from '../../parts/part.tsx';
import { Sieve } from '../../parts/sieve.tsx';
import { When } from '../../parts/when.tsx';
import { stateOf } from '../../words/batch-state.ts';
import { count, useTimes } from '../../words/numbers.ts';
import { visible } from '../../words/text.ts';
import { BatchesOver } from './documents.ts';

export function OverFile({ fileId }: { fileId: string }) {
  const [{ data, error }, ask] = useLiveQuery({ query: BatchesOver, variables: { fileId } });
  const times = useTimes();
  const batches = data?.batches.edges.map(({ node }) => node);
  const workers = useWorkerCount(batches?.some(({ status }) => status === 'QUEUED') ?? false);
  const more = (data?.batches.totalCount ?? 0) - (batches?.length ?? 0);
  return (
    <section className="card" aria-labelledby="over">
      <h2 id="over">Batches over it</h2>
      {batches ? (
        batches.length === 0 && <p className="soft">None yet.</p>
      ) : error ? (
        <PartError
          error={error}
          again={() => ask({ requestPolicy: 'network-only' })}
          what="The batches"
        />
      ) : (
        <Skeleton lines={2} />
      )}
      <ul className="over">
        {batches?.map((batch) => {
          const { look, word } = stateOf(batch, { times, workers });
          return (
            <li key={batch.id}>
              <Link href={`/batches/${batch.id}`} className="name cut">
                {batch.name === null ? batch.id : visible(batch.name)}
              </Link>
              <span className="soft">{batch.operation.toLowerCase()}</span>
              <Sieve thin counts={batch.counts} />
              <span className={`state ${look}`}>{word}</span>
              <span className="soft right">
                <When at={batch.createdAt} inRow />
              </span>
            </li>
          );
        })}
      </ul>
      {more > 0 && <p className="soft">and {count(more)} more</p>}
    </section>
  );
}
