/** Gives the page its client: a new one, without what the old one had read, for each key. */
import { type ReactNode, useEffect, useState } from 'react';
import { Provider } from 'urql';
import { type Api, createApi } from './client.ts';
import { key } from './key.ts';
import { useStore } from './store.ts';

export function DataProvider({ children }: { children: ReactNode }) {
  const given = useStore(key);
  const [made, setMade] = useState<{ of: string | null; api: Api } | null>(null);
  useEffect(() => {
    const api = createApi(given);
    setMade({ of: given, api });
    return () => api.close();
  }, [given]);
  // A page that asked with the key of before would show its refusal, which the new key undoes.
  return made?.of === given ? <Provider value={made.api.client}>{children}</Provider> : null;
}
