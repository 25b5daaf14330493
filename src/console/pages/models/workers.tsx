/** The processes that work on batches. */
import { graphql } from '../../data/graphql.ts';
import { usePolledQuery } from '../../data/use-polled-query.ts';
import { Empty, PartError, Skeleton } from '../../parts/part.tsx';
import { When } from '../../parts/when.tsx';
import { count } from '../../words/numbers.ts';

const WorkerStates = graphql(`
  query WorkerStates {
    service {
      workers {
        id
        startedAt
        concurrency
      }
    }
  }
`);

export function Workers() {
  const { data, error, again } = usePolledQuery({ query: WorkerStates, variables: {} });
  const workers = data?.service.workers ?? [];
  return (
    <section className="card" aria-labelledby="workers">
      <h2 id="workers">Workers</h2>
      {error && <PartError what="The list of workers" error={error} again={again} />}
      {!data && !error && <Skeleton lines={2} />}
      {data && workers.length === 0 && (
        <Empty title="Nothing works on batches">
          <p>Start a process with ROLE=worker or all.</p>
        </Empty>
      )}
      {workers.length > 0 && (
        <table>
          <thead>
            <tr>
              <th>worker</th>
              <th className="right">calls at once</th>
              <th className="right">works since</th>
            </tr>
          </thead>
          <tbody>
            {workers.map((worker) => (
              <tr key={worker.id}>
                <td className="mono cut">{worker.id}</td>
                <td className="right" data-name="calls at once">
                  {count(worker.concurrency)}
                </td>
                <td className="right" data-name="works since">
                  <When at={worker.startedAt} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
