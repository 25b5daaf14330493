/** True where the page is as narrow as on a phone, as the styles have it. */
import { useSyncExternalStore } from 'react';

const query = matchMedia('(max-width: 720px)');

function watch(changed: () => void): () => void {
  query.addEventListener('change', changed);
  return () => query.removeEventListener('change', changed);
}

export function useNarrow(): boolean {
  return useSyncExternalStore(watch, () => query.matches);
}
