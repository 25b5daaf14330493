/** Queries and mutations of the list. */

import { BatchStateFields, CountsFields } from '../../data/batch-fields.ts';
import { graphql, type ResultOf } from '../../data/graphql.ts';

const BatchRowFields = graphql(
  `
    fragment BatchRowFields on Batch @_unmask {
      ...BatchStateFields
      name
      operation
      quote {
        liveUsd {
          low
          high
        }
        providerBatchUsd {
          low
          high
        }
      }
    }
  `,
  [BatchStateFields],
);

export type BatchRow = ResultOf<typeof BatchRowFields>;

export const BatchPage = graphql(
  `
    query Batches($filter: BatchFilter, $first: Int!, $after: String) {
      batches(filter: $filter, first: $first, after: $after) {
        totalCount
        pageInfo {
          endCursor
          hasNextPage
        }
        edges {
          node {
            ...BatchRowFields
          }
        }
      }
    }
  `,
  [BatchRowFields],
);

/** For the numbers beside the filters; each is counted under the rest of the filter. */
export const ShowCounts = graphql(`
  query ShowCounts($running: BatchFilter, $waits: BatchFilter) {
    running: batches(first: 1, filter: $running) {
      totalCount
    }
    waits: batches(first: 1, filter: $waits) {
      totalCount
    }
  }
`);

export const BatchChanges = graphql(
  `
    subscription BatchChanges {
      batchesChanged {
        ...BatchRowFields
      }
    }
  `,
  [BatchRowFields],
);

export const BatchDeletions = graphql(`
  subscription BatchDeletions {
    batchDeleted {
      deletedId
    }
  }
`);

/** Sums over all batches that match, page by page. */
export const BatchSums = graphql(
  `
    query BatchSums($filter: BatchFilter, $after: String) {
      batches(filter: $filter, first: 500, after: $after) {
        totalCount
        pageInfo {
          endCursor
          hasNextPage
        }
        edges {
          node {
            id
            status
            contentDeletedAt
            counts {
              ...CountsFields
            }
          }
        }
      }
    }
  `,
  [CountsFields],
);

export const RowProjection = graphql(`
  query RowProjection($id: ID!) {
    batch(id: $id) {
      id
      projection {
        costUsd {
          low
          high
        }
      }
    }
  }
`);
