/** A question that is asked again at each pulse, one at a time. */
import { useEffect, useRef } from 'react';
import type { AnyVariables, TypedDocumentNode } from 'urql';
import { useLiveQuery } from '../../data/use-live-query.ts';

export function useRead<Data, Variables extends AnyVariables>({
  query,
  variables,
  pulse,
  pause = false,
}: {
  query: TypedDocumentNode<Data, Variables>;
  variables: Variables;
  pulse: number;
  pause?: boolean;
}) {
  const args = { query, variables, pause } as Parameters<typeof useLiveQuery<Data, Variables>>[0];
  const [{ data, error, fetching, stale }, ask] = useLiveQuery<Data, Variables>(args);
  const asked = useRef(pulse);
  const busy = fetching || stale;
  useEffect(() => {
    if (pause || busy || asked.current === pulse) return;
    asked.current = pulse;
    ask({ requestPolicy: 'network-only' });
  }, [pulse, busy, pause, ask]);
  return {
    data,
    /** Null while there is an older answer to show. */
    error: data ? null : (error ?? null),
    again: () => ask({ requestPolicy: 'network-only' }),
  };
}
