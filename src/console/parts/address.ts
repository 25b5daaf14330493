/** Values that stand in the address behind `?`, so that back, forward and reload keep them. */
import { useCallback } from 'react';
import { useLocation, useSearch } from 'wouter';

/** An empty string or null takes the value out of the address. */
export function useAddress(): [URLSearchParams, (changes: Record<string, string | null>) => void] {
  const search = useSearch();
  const [path, go] = useLocation();
  const values = new URLSearchParams(search);
  const change = useCallback(
    (changes: Record<string, string | null>) => {
      const next = new URLSearchParams(search);
      for (const [name, value] of Object.entries(changes)) {
        if (value) next.set(name, value);
        else next.delete(name);
      }
      const text = next.toString();
      go(text ? `${path}?${text}` : path, { replace: true });
    },
    [search, path, go],
  );
  return [values, change];
}
