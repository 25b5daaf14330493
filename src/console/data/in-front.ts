/** The sight of the page: whether the tab is in front, and the window is not hidden. */
import { useSyncExternalStore } from 'react';

export function useInFront(): boolean {
  return useSyncExternalStore(watch, () => document.visibilityState === 'visible');
}

function watch(changed: () => void): () => void {
  document.addEventListener('visibilitychange', changed);
  return () => document.removeEventListener('visibilitychange', changed);
}
