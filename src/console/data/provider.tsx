/** Gives the page its client: a new one, without what the old one had read, for each key. */
import { type ReactNode, useEffect, useState } from 'react';
import { Provider } from 'urql';
import { type Api, createApi } from './client.ts';
import { key } from './key.ts';
import { useStore } from './store.ts';

export function DataProvider({ children }: { children: ReactNode }) {
  const given = useStore(key);
  const [api, setApi] = useState<Api | null>(null);
  useEffect(() => {
    const made = createApi(given);
    setApi(made);
    return () => made.close();
  }, [given]);
  return api ? <Provider value={api.client}>{children}</Provider> : null;
}
