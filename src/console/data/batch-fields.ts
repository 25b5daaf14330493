/** Fields of a batch that several pages ask for: its counts, and what its state is told by. */
import { graphql, type ResultOf } from './graphql.ts';

/** Every count; a document spreads it with `...CountsFields`. */
export const CountsFields = graphql(`
  fragment CountsFields on BatchCounts @_unmask {
    total
    pending
    processing
    succeeded
    failed
    cancelled
    expired
  }
`);

/** Fields that the words need; a document spreads it with `...BatchStateFields`. */
export const BatchStateFields = graphql(
  `
    fragment BatchStateFields on Batch @_unmask {
      id
      status
      execution
      model
      counts {
        ...CountsFields
      }
      createdAt
      startedAt
      completedAt
      expiresAt
      contentDeletedAt
      error
      errorSummary {
        code
        count
        message
      }
      waiting {
        reason
        since
        until
      }
      pause {
        reason
        message
        since
        resumesAt
      }
      previewItems
      maxCostUsd
      usage {
        costUsd
        requests
      }
      itemsPerSecond
      estimatedCompletionAt
      rescuedAt
      providerBatches {
        id
        createdAt
        endedAt
      }
    }
  `,
  [CountsFields],
);

export type StateBatch = ResultOf<typeof BatchStateFields>;
