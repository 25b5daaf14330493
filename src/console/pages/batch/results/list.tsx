/**
 * The rows of a batch, of which only those in sight are drawn. One of them is the active row: the
 * arrow keys move it, Enter opens it.
 */
// biome-ignore-all lint/a11y/useSemanticElements: cells of a table cannot be laid out row by row.
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus, and names its row.
// biome-ignore-all lint/a11y/useKeyWithClickEvents: Enter opens the active row of the grid.
import {
  type KeyboardEvent,
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import { useNarrow } from '../../../parts/narrow.ts';
import { useShortcuts } from '../../../parts/shortcuts.ts';
import type { Batch } from '../documents.ts';
import { Cells, columnsOf, hasOwnId } from './cells.tsx';
import type { RowStore } from './row-store.ts';
import {
  clampOffset,
  type Extent,
  offsetShowing,
  scrolledPx,
  scrolledTo,
  scrollOf,
} from './scroll.ts';
import type { Row } from './use-rows.ts';

/** As the styles have it. */
const sizes = {
  wide: { rowPx: 33, headPx: 33, mostInSight: 15 },
  narrow: { rowPx: 58, headPx: 0, mostInSight: 9 },
} as const;
const leastInSight = 3;
/** The bar is put where the rows are after the scrolling has rested this long, in ms. */
const restMs = 150;

export function List({
  store,
  rows,
  operation,
  opened,
  onOpen,
  places,
  first,
}: {
  store: RowStore<Row>;
  rows: number;
  operation: Batch['operation'];
  /** The index of the opened row. */
  opened: number | null;
  /** Gets the index of the row. */
  onOpen: (index: number) => void;
  /** True where the place of a row in the list is its index. */
  places: boolean;
  /** The place that is in sight at first. */
  first: number;
}) {
  const { rowPx, headPx, mostInSight } = sizes[useNarrow() ? 'narrow' : 'wide'];
  const viewPx = Math.min(mostInSight, Math.max(leastInSight, rows)) * rowPx;
  const extent: Extent = { rows, rowPx, viewPx };
  const box = useRef<HTMLDivElement>(null);
  const scroller = useScroller({ box, extent, first });
  const { offset } = scroller;
  const [active, setActive] = useState(first);
  const at = Math.min(active, Math.max(0, rows - 1));

  const top = Math.floor(offset / rowPx);
  const bottom = Math.min(rows - 1, Math.floor((offset + viewPx - 1) / rowPx));
  useEffect(() => store.show(top, Math.max(top, bottom)), [store, top, bottom]);

  function openAt(place: number) {
    const index = places ? place : store.at(place)?.index;
    if (index !== undefined) onOpen(index);
  }

  function moveTo(place: number, { open = opened !== null } = {}) {
    const next = Math.min(rows - 1, Math.max(0, place));
    setActive(next);
    scroller.showRow(next);
    if (open) openAt(next);
  }

  function press(event: KeyboardEvent) {
    const page = Math.max(1, Math.floor(viewPx / rowPx) - 1);
    const to = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: rows - 1,
    }[event.key];
    if (to === undefined && event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    if (to === undefined) moveTo(at, { open: true });
    else moveTo(to);
  }
  /** From anywhere on the page; Enter then opens the row. */
  function step(by: number) {
    box.current?.focus({ preventScroll: true });
    moveTo(at + by);
  }
  useShortcuts({ j: () => step(1), k: () => step(-1) });

  const withIds = useIds(store, top, bottom);
  const columns = columnsOf(operation, withIds);
  const rowId = (place: number) => `row-${place}`;
  return (
    // The bar and the keys belong to the same element, so that one stop of Tab reaches both.
    <div
      ref={box}
      className={`grid ${operation.toLowerCase()}${withIds ? ' with-ids' : ''}`}
      role="grid"
      tabIndex={0}
      aria-label="Results"
      aria-rowcount={rows + 1}
      aria-activedescendant={rows > 0 && at >= top && at <= bottom ? rowId(at) : undefined}
      style={{ height: headPx + viewPx }}
      onScroll={scroller.scrolled}
      onKeyDown={press}
    >
      <div className="grid-sight" role="presentation" style={{ height: headPx + viewPx }}>
        <div className="grid-row grid-head" role="row" aria-rowindex={1}>
          {columns.map(([look, name]) => (
            <span key={look} role="columnheader" className={look}>
              {name}
            </span>
          ))}
        </div>
        <div
          role="presentation"
          className="grid-rows"
          style={{ transform: `translateY(${top * rowPx - offset}px)` }}
        >
          {Array.from({ length: Math.max(0, bottom - top + 1) }, (_, step) => top + step).map(
            (place) => {
              const row = store.at(place);
              return (
                <div
                  key={place}
                  id={rowId(place)}
                  role="row"
                  aria-rowindex={place + 2}
                  aria-selected={row !== undefined && row.index === opened}
                  className={place === at ? 'grid-row active' : 'grid-row'}
                  onClick={() => {
                    setActive(place);
                    openAt(place);
                  }}
                >
                  {row ? (
                    <Cells row={row} operation={operation} withIds={withIds} />
                  ) : (
                    <span role="gridcell" className="coming">
                      <i />
                      <span className="hidden">is being read</span>
                    </span>
                  )}
                </div>
              );
            },
          )}
        </div>
      </div>
      <div role="presentation" style={{ height: Math.max(0, scrolledPx(extent) - viewPx) }} />
    </div>
  );
}

/** True once a row with an id of its own was in sight: then there is a column of ids. */
function useIds(store: RowStore<Row>, top: number, bottom: number): boolean {
  const [found, setFound] = useState(false);
  let isSeen = found;
  for (let place = top; place <= bottom && !isSeen; place += 1) {
    const row = store.at(place);
    isSeen = row !== undefined && hasOwnId(row);
  }
  useEffect(() => {
    if (isSeen) setFound(true);
  }, [isSeen]);
  return isSeen;
}

/** Keeps where the rows stand together with where the browser's bar stands. */
function useScroller({
  box,
  extent,
  first,
}: {
  box: React.RefObject<HTMLDivElement | null>;
  extent: Extent;
  first: number;
}) {
  const [offset, setOffset] = useState(() => clampOffset(first * extent.rowPx, extent));
  /** Where the bar was put by this code, or was seen last. */
  const bar = useRef(0);
  const now = useRef({ offset, extent });
  now.current = { offset, extent };
  const rest = useRef<ReturnType<typeof setTimeout>>(undefined);

  const putBar = useCallback(() => {
    const element = box.current;
    if (!element) return;
    element.scrollTop = scrollOf(now.current.offset, now.current.extent);
    bar.current = element.scrollTop;
  }, [box]);
  useLayoutEffect(putBar, [putBar]);
  useEffect(() => () => clearTimeout(rest.current), []);

  // A list that became shorter has its end elsewhere.
  const { rows, rowPx, viewPx } = extent;
  useLayoutEffect(() => {
    const inside = clampOffset(now.current.offset, { rows, rowPx, viewPx });
    if (inside !== now.current.offset) setOffset(inside);
  }, [rows, rowPx, viewPx]);

  return {
    offset,
    scrolled() {
      const to = box.current?.scrollTop ?? 0;
      const from = bar.current;
      if (Math.abs(to - from) < 0.5) return;
      bar.current = to;
      setOffset(scrolledTo(now.current.offset, { from, to }, now.current.extent));
      clearTimeout(rest.current);
      rest.current = setTimeout(putBar, restMs);
    },
    showRow(place: number) {
      const next = offsetShowing(place, now.current.offset, now.current.extent);
      now.current.offset = next;
      setOffset(next);
      putBar();
    },
  };
}
