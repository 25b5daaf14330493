/** The card of a batch that is paused at its limit: what was spent, and a form for a higher one. */
import { useState } from 'react';
import { Button } from '../../parts/button.tsx';
import { readAmount } from '../../words/amount.ts';
import { many, usd } from '../../words/numbers.ts';
import { ResumeBatch } from './documents.ts';
import { Card, type CardProps } from './state-card.tsx';

export function BudgetCard({ batch, sums, acting: { act, busy } }: CardProps) {
  const { id, counts, usage, maxCostUsd } = batch;
  const high = sums?.projection?.costUsd?.high ?? null;
  const left = counts.pending + counts.processing;
  const [typed, setTyped] = useState<string | null>(null);
  const suggested = suggestLimit(high, maxCostUsd);
  const text = typed ?? (suggested === null ? '' : String(suggested));
  const spent = usage.costUsd ?? 0;
  const limit = readAmount(text) ?? 0;
  const wrong = limit <= spent;
  return (
    <Card title="Paused: the limit is reached" look="grain">
      <p>The next row would go beyond the limit.</p>
      <dl className="facts-list">
        <dt>Spent</dt>
        <dd>{usage.costUsd === null ? 'unknown' : usd(usage.costUsd)}</dd>
        <dt>Limit</dt>
        <dd>{maxCostUsd === null ? 'none' : usd(maxCostUsd)}</dd>
        <dt>Left to do</dt>
        <dd>{many(left, 'row')}</dd>
      </dl>
      <form
        className="row wrap limit"
        onSubmit={(event) => {
          event.preventDefault();
          if (!wrong) void act('resume', ResumeBatch, { id, maxCostUsd: limit });
        }}
      >
        <label htmlFor="limit">New limit in USD</label>
        <input
          id="limit"
          className="input"
          inputMode="decimal"
          value={text}
          aria-invalid={text !== '' && wrong}
          aria-describedby="limit-note"
          onChange={(event) => setTyped(event.target.value)}
        />
        <Button type="submit" look="first" changes busy={busy === 'resume'} disabled={wrong}>
          Go on
        </Button>
        <span id="limit-note" className="small soft">
          {limitNote({ high, spent: text !== '' && wrong ? spent : null })}
        </span>
      </form>
    </Card>
  );
}

/** `spent` where the limit that was typed does not exceed it, else null. */
function limitNote({ high, spent }: { high: number | null; spent: number | null }): string {
  if (spent !== null) {
    return `The limit must be a number above the ${usd(spent)} that are spent, such as 12.50.`;
  }
  return high === null
    ? 'The cost of the whole is not known yet.'
    : `The whole is expected to cost up to ${usd(high)}.`;
}

/** Rounded up to a cent, or to two digits that count below one; null where nothing is expected. */
function suggestLimit(high: number | null, limit: number | null): number | null {
  const wanted = Math.max(high ?? 0, limit ?? 0);
  if (wanted === 0) return null;
  const step = wanted >= 1 ? 0.01 : 10 ** (Math.floor(Math.log10(wanted)) - 1);
  return Number((Math.ceil(wanted / step) * step).toPrecision(12));
}
