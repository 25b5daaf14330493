/** Reads the list page by page, and keeps it up to date by what the server tells. */
import { useCallback, useEffect, useReducer, useRef, useState } from 'react';
import { type Client, type CombinedError, useClient } from 'urql';
import { returns } from '../../data/connection.ts';
import { useStore } from '../../data/store.ts';
import { BatchChanges, BatchDeletions, BatchPage, type BatchRow } from './documents.ts';
import type { ApiFilter } from './filter.ts';
import {
  type BatchList,
  emptyList,
  type ReadPage,
  totalOf,
  withChange,
  withFresh,
  without,
  withPage,
  withReread,
} from './list.ts';

export const pageRows = 50;
/** The most that the server gives in one page. */
const maxRows = 1_000;
/** Below it the page counts as not scrolled. */
const topPx = 40;

type Act = (list: BatchList) => BatchList;

/** The list that was left last, for the way back to it. */
let left: { of: string; list: BatchList } | null = null;

export interface OpenList extends BatchList {
  reading: 'first' | 'more' | 'again' | null;
  error: CombinedError | null;
  more(): void;
  again(): void;
  showFresh(): void;
  put(batch: BatchRow): void;
  remove(id: string): void;
}

/** `returned`: the page was come back to, and begins with what it showed. */
export function useBatchList(filter: ApiFilter, returned: boolean): OpenList {
  const client = useClient();
  const of = JSON.stringify(filter);
  const [list, change] = useReducer(
    (before: BatchList, act: Act) => act(before),
    emptyList,
    () => (returned && left?.of === of ? left.list : emptyList),
  );
  const [reading, setReading] = useState<OpenList['reading']>('first');
  const [error, setError] = useState<CombinedError | null>(null);
  const latest = useRef(list);
  latest.current = list;
  const asked = useRef(0);

  const ask = useCallback(
    async (kind: 'first' | 'more' | 'again') => {
      asked.current += 1;
      const mine = asked.current;
      setReading(kind);
      setError(null);
      const { rows, next } = latest.current;
      const { page, error: failed } = await readPages(client, {
        filter: JSON.parse(of) as ApiFilter,
        rows: kind === 'again' ? Math.max(rows.length, pageRows) : pageRows,
        after: kind === 'more' ? next : null,
      });
      // Another question was asked meanwhile: its answer is the one that counts.
      if (mine !== asked.current) return;
      setReading(null);
      if (failed) setError(failed);
      if (!page) return;
      const still = isScrolled();
      if (kind === 'first') change(() => ({ ...emptyList, ...page }));
      else if (kind === 'more') change((now) => withPage(now, page));
      else change((now) => withReread(now, page, still));
    },
    [client, of],
  );

  // Another filter is another list; its first page takes the place of the rows that are shown.
  const isFirst = useRef(true);
  useEffect(() => {
    void ask(isFirst.current && latest.current.total !== null ? 'again' : 'first');
    isFirst.current = false;
    return () => {
      asked.current += 1;
      left = { of, list: latest.current };
    };
  }, [ask, of]);

  const back = useStore(returns);
  const seen = useRef(back);
  useEffect(() => {
    if (seen.current === back) return;
    seen.current = back;
    void ask('again');
  }, [back, ask]);

  const put = useCallback(
    (batch: BatchRow) => {
      const how = { filter: JSON.parse(of) as ApiFilter, still: isScrolled() };
      change((now) => withChange(now, batch, how));
    },
    [of],
  );
  const remove = useCallback((id: string) => change((now) => without(now, id)), []);
  useEffect(() => {
    const changes = client.subscription(BatchChanges, {}).subscribe(({ data }) => {
      if (data) put(data.batchesChanged);
    });
    const deletions = client.subscription(BatchDeletions, {}).subscribe(({ data }) => {
      if (data) remove(data.batchDeleted.deletedId);
    });
    return () => {
      changes.unsubscribe();
      deletions.unsubscribe();
    };
  }, [client, put, remove]);

  return {
    ...list,
    total: totalOf(list),
    reading,
    error,
    more: () => {
      if (!reading && !error && list.next !== null) void ask('more');
    },
    again: () => void ask(list.total === null ? 'first' : 'again'),
    showFresh: () => change(withFresh),
    put,
    remove,
  };
}

function isScrolled(): boolean {
  return scrollY > topPx;
}

/** Reads as many rows as are asked for, in as few pages as the server allows. */
async function readPages(
  client: Client,
  { filter, rows, after }: { filter: ApiFilter; rows: number; after: string | null },
): Promise<{ page?: ReadPage; error?: CombinedError }> {
  const read: BatchRow[] = [];
  let next: string | null = after;
  for (;;) {
    const first = Math.min(rows - read.length, maxRows);
    const { data, error } = await client.query(
      BatchPage,
      { filter, first, after: next },
      { requestPolicy: 'network-only' },
    );
    if (!data) return error ? { error } : {};
    const { edges, pageInfo, totalCount } = data.batches;
    read.push(...edges.map(({ node }) => node));
    next = pageInfo.hasNextPage ? pageInfo.endCursor : null;
    if (next === null || read.length >= rows || edges.length === 0) {
      return { page: { rows: read, total: totalCount, next } };
    }
  }
}
