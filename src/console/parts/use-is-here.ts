/** True where the part is still on the page: an answer takes nobody back who has gone on. */
import { useCallback, useEffect, useRef } from 'react';

export function useIsHere(): () => boolean {
  const isHere = useRef(false);
  useEffect(() => {
    isHere.current = true;
    return () => {
      isHere.current = false;
    };
  }, []);
  return useCallback(() => isHere.current, []);
}
