/**
 * Which rows of a long list are in sight, where all have one height and the page itself scrolls:
 * only these are drawn.
 */
import { type RefObject, useEffect, useState } from 'react';

/** Drawn above and below what is in sight, so that a quick scroll meets rows. */
const spare = 12;
/** The range moves by this many rows at once, so that few scrolls draw again. */
const step = 6;

export interface Range {
  first: number;
  /** Behind the last one. */
  end: number;
}

/** `list` is the element that holds the rows; `height` is one row's, in px. */
export function useVisible(
  list: RefObject<HTMLElement | null>,
  { rows, height }: { rows: number; height: number },
): Range {
  const [range, setRange] = useState<Range>({ first: 0, end: 40 });
  useEffect(() => {
    function look() {
      if (!list.current) return;
      const top = -list.current.getBoundingClientRect().top;
      const first = Math.floor((top / height - spare) / step) * step;
      const end = Math.ceil(((top + innerHeight) / height + spare) / step) * step;
      setRange((now) => (now.first === first && now.end === end ? now : { first, end }));
    }
    look();
    addEventListener('scroll', look, { passive: true });
    addEventListener('resize', look);
    return () => {
      removeEventListener('scroll', look);
      removeEventListener('resize', look);
    };
  }, [list, height, rows]);
  const end = Math.min(rows, Math.max(range.end, 0));
  return { first: Math.min(Math.max(range.first, 0), end), end };
}
