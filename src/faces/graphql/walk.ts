/** A search through a long list, a piece at a time, for as long as somebody wants to wait. */

/** A page that is not full by then shows how far the search got. */
export const maxSearchMs = 1_500;

/** Rows that were found in a piece, in the order of the list. */
export interface Piece<Row, Place> {
  rows: Row[];
  /** There is more in the piece, which did not fit. */
  isCut: boolean;
  /** The last place that was looked at; null where the list has no more behind it. */
  end: Place | null;
}

/**
 * Reads pieces behind each other until there are `limit` rows, or one fewer at the end of a piece,
 * or no more pieces, or no more time. One piece is read in any case.
 */
export async function walk<Row, Place>(
  limit: number,
  read: (from: Place | null, limit: number) => Promise<Piece<Row, Place>>,
  { maxMs = maxSearchMs, now = () => performance.now() } = {},
): Promise<Piece<Row, Place>> {
  const until = now() + maxMs;
  const rows: Row[] = [];
  let from: Place | null = null;
  for (;;) {
    const piece = await read(from, limit - rows.length);
    rows.push(...piece.rows);
    const { isCut, end } = piece;
    if (isCut || end === null || rows.length >= limit) return { rows, isCut, end: null };
    if (rows.length === limit - 1 || now() >= until) return { rows, isCut, end };
    from = end;
  }
}
