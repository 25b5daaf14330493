/** The icon of the page: the sieve of a running batch, else the mark of Winnow. */
import { useEffect } from 'react';
import type { SieveCounts } from './sieve.tsx';

const size = 32;
/** The bar is drawn in so many parts: a change below one of them draws nothing. */
const parts = 28;

const colours = [
  ['succeeded', '#2f9d5f'],
  ['failed', '#d4562a'],
  ['processing', '#d9920f'],
  ['cancelled', '#a59d8a'],
  ['expired', '#a59d8a'],
] as const;

const mark =
  '<path d="M4 8h24M7.400 14.400h17.200M11.200 20.800h9.600" fill="none" stroke="#c07f08" ' +
  'stroke-width="3" stroke-linecap="round"/><circle cx="16" cy="27.500" r="2.400" fill="#c07f08"/>';

/** Null where nothing runs. */
export function useFavicon(counts: SieveCounts | null): void {
  const drawn = counts && counts.total > 0 ? drawSieve(counts) : mark;
  useEffect(() => {
    const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}">${drawn}</svg>`;
    if (link) link.href = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  }, [drawn]);
}

function drawSieve(counts: SieveCounts): string {
  let left = 2;
  const bars = colours.map(([name, colour]) => {
    const share = counts[name] / counts.total;
    const width = share > 0 ? Math.max(1, Math.round(share * parts)) : 0;
    const bar = `<rect x="${left}" y="8" width="${width}" height="16" fill="${colour}"/>`;
    left += width;
    return width > 0 ? bar : '';
  });
  return (
    '<clipPath id="bar"><rect x="2" y="8" width="28" height="16" rx="4"/></clipPath>' +
    '<g clip-path="url(#bar)"><rect x="2" y="8" width="28" height="16" fill="#e3dccb"/>' +
    `${bars.join('')}</g>`
  );
}
