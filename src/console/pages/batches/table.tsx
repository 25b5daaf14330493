/** The list itself: a table in which only the rows in sight are drawn. */
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useNarrow } from '../../parts/narrow.ts';
import { useShortcuts } from '../../parts/shortcuts.ts';
import { useVisible } from '../../parts/use-visible.ts';
import { many } from '../../words/numbers.ts';
import type { BatchRow } from './documents.ts';
import { Row } from './row.tsx';
import type { Selection } from './selection.ts';

/** The heights of batches.css, in px. */
const rowPx = 58;
const narrowRowPx = 88;
/** The next page is asked for when fewer rows than this are left below. */
const ahead = 25;

export function BatchTable({
  rows,
  total,
  workers,
  selection,
  onMore,
  onDone,
}: {
  rows: readonly BatchRow[];
  total: number;
  workers: number | null;
  selection: Selection;
  onMore: () => void;
  onDone: (batch: BatchRow) => void;
}) {
  const body = useRef<HTMLTableSectionElement>(null);
  const height = useNarrow() ? narrowRowPx : rowPx;
  const { first, end } = useVisible(body, { rows: rows.length, height });
  useEffect(() => {
    if (end > rows.length - ahead) onMore();
  }, [end, rows.length, onMore]);
  const at = useMoves({ body, rows, height, selection });
  // The row that has the focus stays drawn, wherever the page is scrolled to.
  const places = Array.from({ length: end - first }, (_, n) => first + n);
  const kept = at.place === null ? null : Math.min(at.place, rows.length - 1);
  if (kept !== null && kept >= 0 && kept < first) places.unshift(kept);
  if (kept !== null && kept >= end) places.push(kept);
  const select = useCallback(
    (id: string, selected: boolean) => selection.set(id, selected),
    [selection.set],
  );
  const draw = (place: number) => {
    const batch = rows[place];
    return (
      batch && (
        <Row
          key={batch.id}
          batch={batch}
          place={place}
          workers={workers}
          selected={selection.all || selection.ids.has(batch.id)}
          onSelect={select}
          onFocus={at.note}
          onDone={onDone}
        />
      )
    );
  };
  const allShown =
    rows.length > 0 && (selection.all || rows.every(({ id }) => selection.ids.has(id)));
  return (
    <div className="card list">
      <table aria-label="Batches" aria-rowcount={total + 1}>
        <thead>
          <tr className="batch head" aria-rowindex={1}>
            <th className="pick" scope="col">
              <label>
                <input
                  type="checkbox"
                  aria-label="Select all that are shown"
                  checked={allShown}
                  ref={(box) => {
                    if (box) box.indeterminate = !allShown && selection.ids.size > 0;
                  }}
                  onChange={(event) =>
                    event.target.checked
                      ? selection.add(rows.map(({ id }) => id))
                      : selection.clear()
                  }
                />
              </label>
            </th>
            <th scope="col">batch</th>
            <th scope="col">answered</th>
            <th scope="col">state</th>
            <th scope="col" className="right">
              cost
            </th>
            <th scope="col" className="right">
              began
            </th>
          </tr>
        </thead>
        <tbody ref={body}>
          {/* One list of keyed rows: a row that stays keeps its element under the pointer. */}
          {places.flatMap((place, n) => {
            const gap = place - (places[n - 1] ?? -1) - 1;
            return gap > 0
              ? [<Gap key={`gap-${place}`} height={gap * height} />, draw(place)]
              : [draw(place)];
          })}
          <Gap height={(rows.length - 1 - (places.at(-1) ?? -1)) * height} />
        </tbody>
      </table>
      <p className="hidden" role="status">
        {many(total, 'batch', 'batches')}
      </p>
    </div>
  );
}

/** Rows that are not drawn. */
function Gap({ height }: { height: number }) {
  return height > 0 ? (
    <tr className="gap" style={{ height }}>
      <td />
    </tr>
  ) : null;
}

/** The keys j, k and x: the row is where the focus is, or was last. */
function useMoves({
  body,
  rows,
  height,
  selection,
}: {
  body: RefObject<HTMLElement | null>;
  rows: readonly BatchRow[];
  height: number;
  selection: Selection;
}) {
  const [place, setPlace] = useState<number | null>(null);
  const wanted = useRef<number | null>(null);
  useLayoutEffect(() => {
    if (wanted.current === null) return;
    const link = body.current?.querySelector<HTMLElement>(`[data-place="${wanted.current}"]`);
    if (!link) return;
    wanted.current = null;
    link.focus({ preventScroll: true });
    link.closest('.batch')?.scrollIntoView({ block: 'nearest' });
  });
  function move(by: number): void {
    const top = body.current?.getBoundingClientRect().top ?? 0;
    const inSight = Math.max(0, Math.ceil(-top / height));
    const next = place === null ? inSight : place + by;
    if (rows.length === 0) return;
    const to = Math.min(Math.max(next, 0), rows.length - 1);
    wanted.current = to;
    setPlace(to);
    // Where the place stays the same nothing is drawn again: the focus may have left it.
    body.current?.querySelector<HTMLElement>(`[data-place="${to}"]`)?.focus();
  }
  useShortcuts({
    j: () => move(1),
    k: () => move(-1),
    x: () => {
      const batch = place === null ? undefined : rows[place];
      if (batch) selection.set(batch.id, !selection.ids.has(batch.id));
    },
    Escape: () => selection.clear(),
  });
  const note = useCallback((focused: number) => setPlace(focused), []);
  return { place, note };
}
