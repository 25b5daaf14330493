/** A value that is drawn at most twice a second: nobody reads numbers that change more often. */
import { useEffect, useRef, useState } from 'react';

const leastMs = 500;

/** With another `stamp`, what is new is shown at once. */
export function useCalm<Value>(value: Value, stamp: string): Value {
  const [shown, show] = useState({ value, stamp });
  const shownAt = useRef(0);
  useEffect(() => {
    if (Object.is(shown.value, value) && shown.stamp === stamp) return;
    const restMs = shown.stamp === stamp ? shownAt.current + leastMs - Date.now() : 0;
    const timer = setTimeout(
      () => {
        shownAt.current = Date.now();
        show({ value, stamp });
      },
      Math.max(0, restMs),
    );
    return () => clearTimeout(timer);
  }, [value, stamp, shown]);
  return shown.stamp === stamp ? shown.value : value;
}
