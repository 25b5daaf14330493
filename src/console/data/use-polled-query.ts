/**
 * A query that is read again every few seconds while somebody looks: for what no subscription
 * tells. A tab that comes to the front reads it at once.
 */
import { useEffect, useRef } from 'react';
import type { AnyVariables } from 'urql';
import { useInFront } from './in-front.ts';
import { useLiveQuery } from './use-live-query.ts';

export function usePolledQuery<Data, Variables extends AnyVariables>(
  args: Parameters<typeof useLiveQuery<Data, Variables>>[0],
  /** Null: it is read once. */
  everyMs: number | null = 5_000,
) {
  const [{ data, error }, ask] = useLiveQuery<Data, Variables>(args);
  const again = () => ask({ requestPolicy: 'network-only' });
  const latest = useRef(again);
  latest.current = again;
  const inFront = useInFront();
  const wasInFront = useRef(inFront);
  const isPaused = args.pause ?? false;
  useEffect(() => {
    const returned = inFront && !wasInFront.current;
    wasInFront.current = inFront;
    if (!inFront || isPaused || everyMs === null) return;
    if (returned) latest.current();
    const timer = setInterval(() => latest.current(), everyMs);
    return () => clearInterval(timer);
  }, [inFront, isPaused, everyMs]);
  return { data, error, again };
}
