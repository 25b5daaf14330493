/** Values that stand in the address behind `?`, so that back, forward and reload keep them. */
import { useCallback, useMemo } from 'react';
import { useLocation, useSearch } from 'wouter';

/** An empty string, an empty list or null takes the value out of the address. */
export type AddressChanges = Readonly<Record<string, string | readonly string[] | null>>;

/** With `push`, back leads to what was before the change. */
type Change = (changes: AddressChanges, how?: { push?: boolean }) => void;

export function useAddress(): [URLSearchParams, Change] {
  const search = useSearch();
  const [path, go] = useLocation();
  const values = useMemo(() => new URLSearchParams(search), [search]);
  const change = useCallback(
    (changes: AddressChanges, { push = false } = {}) => {
      const next = new URLSearchParams(search);
      for (const [name, value] of Object.entries(changes)) {
        next.delete(name);
        for (const one of [value ?? []].flat()) if (one) next.append(name, one);
      }
      const text = next.toString();
      // The first page's own path is empty, lest the address end in `/`.
      const own = path === '/' ? '' : path;
      go(text ? `${own}?${text}` : own, { replace: !push });
    },
    [search, path, go],
  );
  return [values, change];
}
