/** The rows of a batch that a filter takes, read page by page as they come into sight. */
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import type { CombinedError } from 'urql';
import { returns } from '../../../data/connection.ts';
import { graphql, type ResultOf } from '../../../data/graphql.ts';
import { useStore } from '../../../data/store.ts';
import { uncached } from '../../../data/uncached.ts';
import { hasPlaces, type RowFilter } from './filter.ts';
import { createRowStore, type PageAnswer, type PageAsk, type RowStore } from './row-store.ts';

const RowPage = graphql(`
  query BatchRows(
    $id: ID!
    $first: Int!
    $after: String
    $fromIndex: Int
    $status: [ItemStatus!]
    $errorCodes: [ItemErrorCode!]
    $labels: [String!]
    $confidenceBelow: Float
    $search: String
    $orderBy: ItemOrder
  ) {
    batch(id: $id) {
      items(
        first: $first
        after: $after
        fromIndex: $fromIndex
        status: $status
        errorCodes: $errorCodes
        labels: $labels
        confidenceBelow: $confidenceBelow
        search: $search
        orderBy: $orderBy
      ) {
        searchedTo
        edges {
          node {
            id
            index
            row
            customId
            status
            excerpt(characters: 160)
            output
            cached
            error {
              code
              message
            }
            usage {
              inputTokens
              outputTokens
              requests
            }
          }
        }
        pageInfo {
          endCursor
          hasNextPage
        }
      }
    }
  }
`);

type Items = NonNullable<ResultOf<typeof RowPage>['batch']>['items'];
export type Row = Items['edges'][number]['node'];

/** With another `times`, nothing that was read before is shown. */
export function useRows({
  id,
  total,
  filter,
  times,
}: {
  id: string;
  total: number;
  filter: RowFilter;
  times: number;
}): RowStore<Row, CombinedError> | null {
  const [store, setStore] = useState<RowStore<Row, CombinedError> | null>(null);
  const key = JSON.stringify(filter);
  const latest = useRef(filter);
  latest.current = filter;
  useEffect(() => {
    const chosen = latest.current;
    const made = createRowStore<Row, CombinedError>({
      ask: (page) => askPage(id, chosen, page),
      places: hasPlaces(chosen) ? total : null,
    });
    // What is in sight at first; a list in which rows have places says it itself.
    if (!hasPlaces(chosen)) made.show(0, 0);
    setStore(made);
    return () => made.close();
  }, [id, total, key, times]);

  const count = useStore(returns);
  const seen = useRef(count);
  useEffect(() => {
    if (seen.current === count) return;
    seen.current = count;
    store?.refresh('all');
    store?.again();
  }, [count, store]);
  return store;
}

const nothing = {
  rows: 0,
  complete: false,
  read: false,
  searchedTo: null,
  error: null,
} as const;

/** The state of the list; the caller is drawn again when rows came. */
export function useRowState(store: RowStore<Row, CombinedError> | null) {
  const watch = useCallback((changed: () => void) => store?.watch(changed) ?? (() => {}), [store]);
  return useSyncExternalStore(watch, () => store?.state() ?? nothing);
}

async function askPage(
  id: string,
  { status, code, labels, below, search, leastSureFirst }: RowFilter,
  { from, after, first }: PageAsk,
): Promise<PageAnswer<Row> | CombinedError> {
  const { data, error } = await uncached()
    .query(RowPage, {
      id,
      first,
      after,
      fromIndex: from,
      status: status ? [status] : null,
      errorCodes: code ? [code] : null,
      labels: labels.length > 0 ? [...labels] : null,
      confidenceBelow: below,
      search: search || null,
      orderBy: leastSureFirst ? 'CONFIDENCE' : 'INDEX',
    })
    .toPromise();
  if (error) return error;
  const items = data?.batch?.items;
  if (!items) return { rows: [], endCursor: null, more: false, searchedTo: null };
  return {
    rows: items.edges.map(({ node }) => node),
    endCursor: items.pageInfo.endCursor,
    more: items.pageInfo.hasNextPage || items.searchedTo !== null,
    searchedTo: items.searchedTo,
  };
}
