/**
 * The confidences of the answers. A line, dragged or moved by the arrow keys, shows those below it.
 */
import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from 'react';
import { count, many } from '../../../words/numbers.ts';
import { ChartCard } from './chart-card.tsx';
import { belowCount, type ConfidenceBin, widerBins } from './sums.ts';

/** Where the line stands until somebody moves it. */
export const firstLine = 0.6;
/** The filter follows the line after it has rested this long, in ms. */
const restMs = 300;
/** Bins asked for are hundredths, so that the count below the line is exact. */
const binsInOne = 5;

export function Confidence({
  bins,
  median,
  below,
  onBelow,
}: {
  bins: readonly ConfidenceBin[];
  median: number | null;
  /** The confidence below which the results are shown. */
  below: number | null;
  onBelow: (below: number | null) => void;
}) {
  const [line, setLine] = useState(below ?? firstLine);
  const field = useRef<HTMLDivElement>(null);
  const resting = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => setLine(below ?? firstLine), [below]);
  useEffect(() => () => clearTimeout(resting.current), []);

  const wide = widerBins(bins, binsInOne);
  const most = Math.max(1, ...wide.map((bin) => bin.count));
  const all = bins.reduce((sum, bin) => sum + bin.count, 0);
  const under = belowCount(bins, line);
  const words = `${count(under)} below ${line}`;

  function move(to: number, { rest = restMs } = {}) {
    const next = Math.round(Math.min(1, Math.max(0.01, to)) * 100) / 100;
    setLine(next);
    clearTimeout(resting.current);
    resting.current = setTimeout(() => onBelow(next), rest);
  }

  function drag(event: PointerEvent<HTMLElement>) {
    if (event.type === 'pointerdown') event.currentTarget.setPointerCapture(event.pointerId);
    else if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    const box = field.current?.getBoundingClientRect();
    if (box) move((event.clientX - box.left) / box.width);
  }

  function press(event: KeyboardEvent) {
    const step = event.shiftKey ? 0.1 : 0.01;
    const to = {
      ArrowLeft: line - step,
      ArrowDown: line - step,
      ArrowRight: line + step,
      ArrowUp: line + step,
      PageDown: line - 0.1,
      PageUp: line + 0.1,
      Home: 0.01,
      End: 1,
      Enter: line,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(to, event.key === 'Enter' ? { rest: 0 } : {});
  }

  return (
    <ChartCard
      title="Confidence"
      beside={
        all > 0 && (
          <button
            type="button"
            className="link-button note"
            onClick={() => onBelow(below === null ? line : null)}
          >
            {below === null ? `Show below ${line}` : 'Show all'}
          </button>
        )
      }
      columns={['from', 'to', 'answers']}
      rows={wide.map(({ from, to, count: items }) => [String(from), String(to), count(items)])}
    >
      {all === 0 ? (
        <p className="soft chart-words">unknown: no confidence given</p>
      ) : (
        <div className="sureness" ref={field}>
          <div
            className="sureness-bars"
            role="img"
            aria-label={`Confidence of ${many(all, 'answer')}: half of them reach ${median}, ${words}`}
          >
            {wide.map(({ from, to, count: items }) => (
              <i
                key={from}
                className={to <= line + 0.0005 ? 'low' : undefined}
                style={{ height: items === 0 ? 0 : `max(1.5px, ${(100 * items) / most}%)` }}
              />
            ))}
          </div>
          <div
            role="slider"
            tabIndex={0}
            className={line > 0.5 ? 'line left' : 'line'}
            style={{ left: `${line * 100}%` }}
            aria-label="Confidence below"
            aria-valuemin={0}
            aria-valuemax={1}
            aria-valuenow={line}
            aria-valuetext={words}
            onPointerDown={drag}
            onPointerMove={drag}
            onKeyDown={press}
          >
            <span>{words}</span>
          </div>
          <p className="sureness-axis" aria-hidden="true">
            {[0, 0.2, 0.4, 0.6, 0.8, 1].map((tick) => (
              <span key={tick} style={{ left: `${tick * 100}%` }}>
                {tick}
              </span>
            ))}
          </p>
        </div>
      )}
    </ChartCard>
  );
}
