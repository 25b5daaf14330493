/** When to read again what is costly to read. */
import { useEffect, useRef, useState } from 'react';
import { useInFront } from '../../data/in-front.ts';

const pulseMs = 1_000;

/**
 * Rises at most once a second, while the tab is in front, after `stamp` has changed from one that
 * is not empty.
 */
export function usePulse(stamp: string): number {
  const [pulse, setPulse] = useState(0);
  const seen = useRef(stamp);
  const last = useRef(0);
  const inFront = useInFront();
  useEffect(() => {
    // What was there first was read with the page.
    if (seen.current === '') seen.current = stamp;
    if (!inFront || seen.current === stamp) return;
    const beat = () => {
      seen.current = stamp;
      last.current = Date.now();
      setPulse((before) => before + 1);
    };
    const timer = setTimeout(beat, Math.max(0, last.current + pulseMs - Date.now()));
    return () => clearTimeout(timer);
  }, [stamp, inFront]);
  return pulse;
}
