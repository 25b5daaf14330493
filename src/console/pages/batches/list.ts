/**
 * The rows that the page has read, newest first, and what has happened since. No row moves while
 * the page is scrolled: what is new waits until it is asked for.
 */
import type { BatchRow } from './documents.ts';
import { type ApiFilter, matches } from './filter.ts';

export interface BatchList {
  rows: readonly BatchRow[];
  /** Rows that belong between those shown, newest first. */
  fresh: readonly BatchRow[];
  /** Batches on the server that match, over all pages. Null before the first answer. */
  total: number | null;
  /** Where the next page begins; null where no page follows. */
  next: string | null;
}

export const emptyList: BatchList = { rows: [], fresh: [], total: null, next: null };

/** A page as the server answers it. */
export interface ReadPage {
  rows: readonly BatchRow[];
  total: number;
  next: string | null;
}

/** Adds a page behind the rows that are there. */
export function withPage(list: BatchList, page: ReadPage): BatchList {
  const known = new Set(list.rows.map(({ id }) => id));
  return {
    rows: [...list.rows, ...page.rows.filter(({ id }) => !known.has(id))],
    fresh: list.fresh,
    total: page.total,
    next: page.next,
  };
}

/** Takes what was read again; rows that were not shown before wait where `still`. */
export function withReread(list: BatchList, page: ReadPage, still: boolean): BatchList {
  if (!still || list.rows.length === 0) return { ...emptyList, ...page };
  const shown = new Set(list.rows.map(({ id }) => id));
  const oldest = list.rows.at(-1)?.createdAt ?? '';
  return {
    rows: page.rows.filter(({ id, createdAt }) => shown.has(id) || createdAt < oldest),
    fresh: page.rows.filter(({ id, createdAt }) => !shown.has(id) && createdAt >= oldest),
    total: page.total,
    next: page.next,
  };
}

/**
 * A batch has changed, or is new. A row that leaves the filter stays until the list is read again.
 * `still`: the rows that are shown must not move.
 */
export function withChange(
  list: BatchList,
  batch: BatchRow,
  { filter, still }: { filter: ApiFilter; still: boolean },
): BatchList {
  const shownAt = list.rows.findIndex(({ id }) => id === batch.id);
  if (shownAt >= 0) return { ...list, rows: list.rows.with(shownAt, batch) };
  const freshAt = list.fresh.findIndex(({ id }) => id === batch.id);
  if (freshAt >= 0) return { ...list, fresh: list.fresh.with(freshAt, batch) };
  if (list.total === null || !matches(filter, batch)) return list;
  const total = list.total + 1;
  const oldest = list.rows.at(-1);
  if (list.next !== null && oldest && batch.createdAt < oldest.createdAt) return list;
  if (still) return { ...list, total, fresh: inOrder(list.fresh, [batch]) };
  return { ...list, total, rows: inOrder(list.rows, [batch]) };
}

/**
 * Batches that match, as far as the page knows. Once all are read these are the rows: the server
 * may have counted one that came after its rows were read.
 */
export function totalOf({ rows, fresh, total, next }: BatchList): number | null {
  return total === null || next !== null ? total : rows.length + fresh.length;
}

export function without(list: BatchList, id: string): BatchList {
  const rows = list.rows.filter((row) => row.id !== id);
  const fresh = list.fresh.filter((row) => row.id !== id);
  const gone = rows.length + fresh.length < list.rows.length + list.fresh.length;
  if (!gone) return list;
  return { ...list, rows, fresh, total: list.total === null ? null : list.total - 1 };
}

export function withFresh(list: BatchList): BatchList {
  return { ...list, rows: inOrder(list.rows, list.fresh), fresh: [] };
}

function inOrder(rows: readonly BatchRow[], added: readonly BatchRow[]): readonly BatchRow[] {
  // The sort is stable: what came last stands before others of the same instant.
  return [...added, ...rows].sort((a, b) =>
    a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0,
  );
}
