/** A query that is read again when the server is back after it could not be reached. */
import { useEffect, useRef } from 'react';
import { type AnyVariables, type TypedDocumentNode, type UseQueryArgs, useQuery } from 'urql';
import { returns } from './connection.ts';
import { useStore } from './store.ts';

export function useLiveQuery<Data, Variables extends AnyVariables>(
  args: UseQueryArgs<Variables, Data> & { query: TypedDocumentNode<Data, Variables> },
) {
  const [result, ask] = useQuery<Data, Variables>({
    requestPolicy: 'cache-and-network',
    ...args,
  } as UseQueryArgs<Variables, Data>);
  const count = useStore(returns);
  const seen = useRef(count);
  useEffect(() => {
    if (seen.current === count) return;
    seen.current = count;
    if (!args.pause) ask({ requestPolicy: 'network-only' });
  }, [count, ask, args.pause]);
  const of = JSON.stringify(args.variables ?? {});
  const kept = useRef<{ of: string; data: Data } | null>(null);
  if (result.data !== undefined && !result.fetching) kept.current = { of, data: result.data };
  const isLost = result.data === undefined && result.error?.networkError !== undefined;
  const shown = isLost && kept.current?.of === of ? { ...result, data: kept.current.data } : result;
  return [shown, ask] as const;
}
