/**
 * Where the rows of a list stand. Browsers cut elements that are too high, so that a long list is
 * scrolled over fewer pixels than its rows have: the bar goes by share, a wheel by pixels.
 */

/** Greatest height of what is scrolled, in px: below the limits of all browsers. */
const mostPx = 10_000_000;
/** A step of the scroll position beyond this comes from the bar, in px. */
const jumpPx = 5_000;

export interface Extent {
  rows: number;
  /** The height of every row, in px. */
  rowPx: number;
  /** The height in which rows are seen, in px. */
  viewPx: number;
}

/** The height that the browser scrolls over, in px. */
export function scrolledPx({ rows, rowPx }: Extent): number {
  return Math.min(rows * rowPx, mostPx);
}

/** The furthest that the rows can be moved up, in px of rows. */
function maxOffset({ rows, rowPx, viewPx }: Extent): number {
  return Math.max(0, rows * rowPx - viewPx);
}

function maxScroll(extent: Extent): number {
  return Math.max(0, scrolledPx(extent) - extent.viewPx);
}

/** The scroll position that belongs to an offset of the rows. */
export function scrollOf(offset: number, extent: Extent): number {
  const most = maxOffset(extent);
  return most === 0 ? 0 : (clampOffset(offset, extent) / most) * maxScroll(extent);
}

export function clampOffset(offset: number, extent: Extent): number {
  return Math.min(Math.max(0, offset), maxOffset(extent));
}

/** The offset of the rows after the browser has scrolled `from` one position `to` another. */
export function scrolledTo(
  offset: number,
  { from, to }: { from: number; to: number },
  extent: Extent,
): number {
  const most = maxScroll(extent);
  if (most === 0 || to <= 0) return 0;
  // A browser may stop a part of a pixel before the end.
  if (to >= most - 1) return maxOffset(extent);
  const share = maxOffset(extent) / most;
  if (share === 1) return to;
  return Math.abs(to - from) > jumpPx ? to * share : clampOffset(offset + to - from, extent);
}

/** The offset at which a row is in sight: as it is where the row is, else moved by the least. */
export function offsetShowing(at: number, offset: number, extent: Extent): number {
  const top = at * extent.rowPx;
  if (top < offset) return clampOffset(top, extent);
  const lowest = top + extent.rowPx - extent.viewPx;
  return lowest > offset ? clampOffset(lowest, extent) : offset;
}
