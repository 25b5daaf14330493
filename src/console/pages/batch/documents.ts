/** Queries and mutations of the page of a batch. */

import { BatchStateFields } from '../../data/batch-fields.ts';
import { graphql, type ResultOf } from '../../data/graphql.ts';

/**
 * Fields that change while a batch runs: the subscription brings them, the cache hands them to the
 * page.
 */
const LiveFields = graphql(
  `
    fragment LiveFields on Batch @_unmask {
      ...BatchStateFields
      progress
      resentRequests
      unmeteredUsd
      cancelInitiatedAt
      rescuedAt
      errorCode
      usage {
        costUsd
        cacheSavedUsd
        inputTokens
        outputTokens
        cachedInputTokens
        requests
        unmeteredRequests
      }
    }
  `,
  [BatchStateFields],
);

export const BatchPageQuery = graphql(
  `
    query Batch($id: ID!) {
      batch(id: $id) {
        ...LiveFields
        name
        operation
        options
        metadata
        rescue
        webhookUrl
        file {
          id
          name
        }
        reused {
          identicalRows
          savedUsd
        }
      }
    }
  `,
  [LiveFields],
);

export type Batch = NonNullable<ResultOf<typeof BatchPageQuery>['batch']>;

export const BatchProgress = graphql(
  `
    subscription BatchPageProgress($id: ID!) {
      batchProgress(id: $id) {
        ...LiveFields
      }
    }
  `,
  [LiveFields],
);

export const BatchDeleted = graphql(`
  subscription BatchPageDeleted {
    batchDeleted {
      deletedId
    }
  }
`);

export const CancelBatch = graphql(
  `
    mutation CancelBatch($id: ID!) {
      cancelBatch(id: $id) {
        batch {
          ...LiveFields
        }
      }
    }
  `,
  [LiveFields],
);

export const PauseBatch = graphql(
  `
    mutation PauseBatch($id: ID!) {
      pauseBatch(id: $id) {
        batch {
          ...LiveFields
        }
      }
    }
  `,
  [LiveFields],
);

export const ResumeBatch = graphql(
  `
    mutation ResumeBatch($id: ID!, $maxCostUsd: Float) {
      resumeBatch(id: $id, maxCostUsd: $maxCostUsd) {
        batch {
          ...LiveFields
        }
      }
    }
  `,
  [LiveFields],
);

export const StartBatch = graphql(
  `
    mutation StartBatch($id: ID!) {
      startBatch(id: $id) {
        batch {
          ...LiveFields
        }
      }
    }
  `,
  [LiveFields],
);

export const RetryBatch = graphql(
  `
    mutation RetryBatch($id: ID!, $errorCodes: [ItemErrorCode!]) {
      retryBatch(id: $id, errorCodes: $errorCodes) {
        retriedItems
        batch {
          ...LiveFields
        }
      }
    }
  `,
  [LiveFields],
);

export const DeleteBatch = graphql(`
  mutation DeleteBatch($id: ID!) {
    deleteBatch(id: $id) {
      deletedId
    }
  }
`);

export const RedeliverWebhook = graphql(`
  mutation RedeliverWebhook($id: ID!) {
    redeliverWebhook(batchId: $id) {
      id
      webhookDeliveries {
        id
        at
        attempt
        messageId
        statusCode
        error
        nextAttemptAt
      }
    }
  }
`);

export const ProviderKnowledge = graphql(`
  query ProviderKnowledge {
    service {
      models {
        id
        providerBatch
      }
    }
  }
`);
