/** How many processes work on batches: asked while a batch waits for one, and only then. */
import { useEffect } from 'react';
import { graphql } from './graphql.ts';
import { useLiveQuery } from './use-live-query.ts';

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
  const [{ data }, ask] = useLiveQuery({ query: WorkerCount, pause: !isWaiting });
  useEffect(() => {
    if (!isWaiting) return;
    const timer = setInterval(() => ask({ requestPolicy: 'network-only' }), againMs);
    return () => clearInterval(timer);
  }, [isWaiting, ask]);
  return data?.service.workers.length ?? null;
}
