/**
 * The sieve: the one bar of every batch. A share that is not 0 has at least 3 px. It is an image
 * with a sentence; the words with the counts stand beside it. Its stripes move with each answer,
 * not by an animation: one that never ends takes an eighth of a core for as long as a page is open.
 */
import type { CSSProperties } from 'react';
import { count } from '../words/numbers.ts';

export interface SieveCounts {
  succeeded: number;
  failed: number;
  processing: number;
  pending: number;
  cancelled: number;
  expired: number;
  total: number;
}

/** Shares of the items, in the order of the bar, with the look and the word of each. */
const shares = [
  ['succeeded', 'ok', 'succeeded'],
  ['failed', 'bad', 'failed'],
  ['processing', 'go', 'in flight'],
  ['cancelled', 'rest', 'cancelled'],
  ['expired', 'rest', 'out of time'],
] as const;

/** Stripes that came so far look as they did before. */
const stripesPx = 17.66;

export function Sieve({ counts, thin }: { counts: SieveCounts; thin?: boolean }) {
  const shown = shares.filter(([name]) => counts[name] > 0);
  const words = shown.map(([name, , word]) => `${count(counts[name])} ${word}`);
  if (counts.pending > 0) words.push(`${count(counts.pending)} waiting`);
  const moved = (counts.succeeded + counts.failed) % stripesPx;
  return (
    <div
      className={thin ? 'sieve thin' : 'sieve'}
      role="img"
      aria-label={words.join(', ') || 'nothing to do'}
      style={{ '--moved': `${moved}px` } as CSSProperties}
    >
      {shown.map(([name, look]) => (
        <i
          key={name}
          className={look}
          style={{ width: `${(100 * counts[name]) / counts.total}%` }}
        />
      ))}
    </div>
  );
}

/** The counts as words, each behind a patch of its colour. */
export function Legend({ counts }: { counts: SieveCounts }) {
  const shown = [
    ['ok', 'Succeeded', counts.succeeded],
    ['bad', 'Failed', counts.failed],
    ['go', 'In flight', counts.processing],
    ['wait', 'Waiting', counts.pending],
    ['rest', 'Cancelled', counts.cancelled],
    ['rest', 'Out of time', counts.expired],
  ] as const;
  return (
    <ul className="legend">
      {shown
        .filter(([look, , items]) => items > 0 || look === 'ok')
        .map(([look, word, items]) => (
          <li key={word} className={look}>
            {word} <b>{count(items)}</b>
          </li>
        ))}
    </ul>
  );
}
