/**
 * The number of processes that work on batches: asked while a batch waits for one, and only then.
 */
import { graphql } from './graphql.ts';
import { usePolledQuery } from './use-polled-query.ts';

const WorkerCount = graphql(`
  query WorkerCount {
    service {
      workers {
        id
      }
    }
  }
`);

const againMs = 10_000;

/** Null while that is not known. */
export function useWorkerCount(isWaiting: boolean): number | null {
  const { data } = usePolledQuery(
    { query: WorkerCount, variables: {}, pause: !isWaiting },
    againMs,
  );
  return data?.service.workers.length ?? null;
}
