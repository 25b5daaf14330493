/** What the server says of itself, read again every few seconds while the page is looked at. */
import { useEffect } from 'react';
import type { TypedDocumentNode } from 'urql';
import { useLiveQuery } from '../../data/use-live-query.ts';

const againMs = 5_000;

export function useService<Data>(query: TypedDocumentNode<Data, Record<string, never>>) {
  const [{ data, error }, ask] = useLiveQuery<Data, Record<string, never>>({
    query,
    variables: {},
  });
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') ask({ requestPolicy: 'network-only' });
    }, againMs);
    return () => clearInterval(timer);
  }, [ask]);
  return [{ data, error, again: () => ask({ requestPolicy: 'network-only' }) }] as const;
}
