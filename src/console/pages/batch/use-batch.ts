/** A batch as it is now: read once, then kept up to date by its subscription. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { useSubscription } from 'urql';
import { useLiveQuery } from '../../data/use-live-query.ts';
import { codeOf } from '../../parts/part.tsx';
import { hasEnded } from '../../words/batch-state.ts';
import { BatchDeleted, BatchPageQuery, BatchProgress } from './documents.ts';
import { useCalm } from './use-calm.ts';
import { usePulse } from './use-pulse.ts';

export function useBatch(id: string) {
  const [{ data, error, fetching }, ask] = useLiveQuery({
    query: BatchPageQuery,
    variables: { id },
  });
  const batch = data?.batch ?? null;
  const ended = batch !== null && hasEnded(batch);
  // The stream completes at the end; after a retry a new one begins.
  const [{ error: streamError }] = useSubscription({
    query: BatchProgress,
    variables: { id },
    pause: batch === null || ended,
  });
  // The stream of a batch that has ended is over: its deletion is told to all.
  const [{ data: gone }] = useSubscription({ query: BatchDeleted });
  const deleted =
    gone?.batchDeleted.deletedId === id ||
    (streamError !== undefined && codeOf(streamError) === 'NOT_FOUND');

  // Another part of the page may learn the status first: what belongs to it is then read.
  const status = useRef(batch?.status);
  useEffect(() => {
    if (status.current !== undefined && batch && status.current !== batch.status) {
      ask({ requestPolicy: 'network-only' });
    }
    status.current = batch?.status;
  }, [batch?.status, batch, ask]);

  const [acts, setActs] = useState(0);
  const stamp = batch ? `${batch.status} ${JSON.stringify(batch.counts)} ${acts}` : '';
  const shown = useCalm(batch, `${id} ${batch?.status} ${acts}`);
  const noteAct = useCallback(() => {
    setActs((before) => before + 1);
    // The answer to what was done may be older than what the stream brought meanwhile.
    ask({ requestPolicy: 'network-only' });
  }, [ask]);
  return {
    batch: deleted ? null : shown,
    gone: deleted || (data !== undefined && data.batch === null && !fetching),
    error: batch ? undefined : error,
    again: () => ask({ requestPolicy: 'network-only' }),
    /** Rises at most once a second, when something changed and somebody looks. */
    pulse: usePulse(stamp),
    /** Rises when something was done that changes rows with an answer. */
    acts,
    /** Something was done that the counts may not tell. */
    noteAct,
  };
}
