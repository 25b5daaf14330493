/**
 * All that the client asks of GraphQL, by name. `npm run schema` checks them against
 * schema.graphql and prints the types of their variables and answers into wire.ts.
 */
import type { Operations } from './wire.ts';

const usage = `fragment UsageFields on Usage {
  requests inputTokens cachedInputTokens cacheWriteTokens outputTokens reasoningTokens
  unmeteredRequests costUsd
}`;

const estimates = `fragment EstimateFields on Estimate { expected low high }`;

const modelQuote = `fragment QuoteFields on ModelQuote {
  model
  inputTokens { ...EstimateFields } outputTokens { ...EstimateFields }
  outputBasis prefixTokens tokenizerExact tooLongItems
  liveUsd { ...EstimateFields } liveCachedUsd { ...EstimateFields }
  providerBatchUsd { ...EstimateFields }
  caveats
} ${estimates}`;

const projection = `fragment ProjectionFields on Projection {
  answers succeeded costUsd { ...EstimateFields } liveUsd { ...EstimateFields }
  providerBatchUsd { ...EstimateFields } liveSeconds { ...EstimateFields }
}`;

const batch = `fragment BatchFields on Batch {
  id name status operation model execution metadata progress
  counts { total pending processing succeeded failed cancelled expired }
  usage { ...UsageFields cacheSavedUsd }
  resentRequests reused { identicalRows savedUsd } error errorCode
  errorSummary { code count message }
  itemsPerSecond estimatedCompletionAt
  waiting { reason since until } pause { reason message since resumesAt }
  quote { ...QuoteFields } previewItems maxCostUsd rescue rescuedAt webhookUrl
  createdAt startedAt completedAt cancelInitiatedAt expiresAt
} ${usage} ${modelQuote}`;

const item = `fragment ItemFields on BatchItem {
  index row customId status output
  error { code message }
  rejectedAnswer
  usage { ...UsageFields }
  cached attempts
  content @include(if: $content)
  metadata @include(if: $metadata)
  request @include(if: $request)
} ${usage}`;

const file = `fragment FileFields on File {
  id name format sizeBytes itemCount columns contentField customIdField
  rejectedCount rejections { row reason }
  blankCount encoding warnings createdAt
}`;

const result = `index customId error { code message } rejectedAnswer usage { ...UsageFields }`;

export const documents: Readonly<Record<keyof Operations, string>> = {
  Label: `mutation Label($items: [ItemInput!]!, $options: LabelOptions!) {
    label(items: $items, options: $options) {
      model usage { ...UsageFields } results { ${result} label labels confidence confidenceMethod }
    }
  } ${usage}`,

  Extract: `mutation Extract($items: [ItemInput!]!, $options: ExtractOptions!) {
    extract(items: $items, options: $options) {
      model usage { ...UsageFields } results { ${result} data }
    }
  } ${usage}`,

  Summarize: `mutation Summarize($items: [ItemInput!]!, $options: SummarizeOptions) {
    summarize(items: $items, options: $options) {
      model usage { ...UsageFields } results { ${result} summary data }
    }
  } ${usage}`,

  Enrich: `mutation Enrich($items: [ItemInput!]!, $options: EnrichOptions!) {
    enrich(items: $items, options: $options) {
      model usage { ...UsageFields } results { ${result} data }
    }
  } ${usage}`,

  Run: `mutation Run($items: [ItemInput!]!, $options: RunOptions!) {
    run(items: $items, options: $options) {
      model usage { ...UsageFields } results { ${result} text data }
    }
  } ${usage}`,

  SubmitBatch: `mutation SubmitBatch($input: SubmitBatchInput!) {
    submitBatch(input: $input) { batch { ...BatchFields } }
  } ${batch}`,

  Batch: `query Batch($id: ID!) { batch(id: $id) { ...BatchFields } } ${batch}`,

  Batches: `query Batches($filter: BatchFilter, $first: Int, $after: String) {
    batches(filter: $filter, first: $first, after: $after) {
      edges { entry: node { ...BatchFields } } pageInfo { hasNextPage endCursor }
    }
  } ${batch}`,

  BatchProjection: `query BatchProjection($id: ID!) {
    batch(id: $id) { projection { ...ProjectionFields } }
  } ${projection} ${estimates}`,

  CancelBatch: `mutation CancelBatch($id: ID!) {
    cancelBatch(id: $id) { batch { ...BatchFields } }
  } ${batch}`,

  RetryBatch: `mutation RetryBatch(
    $id: ID!, $errorCodes: [ItemErrorCode!], $customIds: [String!]
  ) {
    retryBatch(id: $id, errorCodes: $errorCodes, customIds: $customIds) {
      retriedItems batch { ...BatchFields }
    }
  } ${batch}`,

  StartBatch: `mutation StartBatch($id: ID!) {
    startBatch(id: $id) { batch { ...BatchFields } }
  } ${batch}`,

  PauseBatch: `mutation PauseBatch($id: ID!) {
    pauseBatch(id: $id) { batch { ...BatchFields } }
  } ${batch}`,

  ResumeBatch: `mutation ResumeBatch($id: ID!, $maxCostUsd: Float) {
    resumeBatch(id: $id, maxCostUsd: $maxCostUsd) { batch { ...BatchFields } }
  } ${batch}`,

  DeleteBatch: `mutation DeleteBatch($id: ID!) { deleteBatch(id: $id) { deletedId } }`,

  BatchProgress: `subscription BatchProgress($id: ID!) {
    batchProgress(id: $id) { ...BatchFields }
  } ${batch}`,

  BatchResults: `subscription BatchResults(
    $id: ID!, $after: String, $content: Boolean!, $metadata: Boolean!, $request: Boolean!
  ) {
    batchResults(id: $id, after: $after) { cursor items { ...ItemFields } }
  } ${item}`,

  BatchItems: `query BatchItems(
    $id: ID!, $first: Int, $after: String, $status: [ItemStatus!], $errorCodes: [ItemErrorCode!]
    $customIds: [String!], $labels: [String!], $confidenceBelow: Float, $confidenceFrom: Float
    $search: String, $orderBy: ItemOrder
    $content: Boolean!, $metadata: Boolean!, $request: Boolean!
  ) {
    batch(id: $id) {
      items(
        first: $first, after: $after, status: $status, errorCodes: $errorCodes
        customIds: $customIds, labels: $labels, confidenceBelow: $confidenceBelow
        confidenceFrom: $confidenceFrom, search: $search, orderBy: $orderBy
      ) {
        edges { entry: node { ...ItemFields } } pageInfo { hasNextPage endCursor }
      }
    }
  } ${item}`,

  File: `query File($id: ID!) { file(id: $id) { ...FileFields } } ${file}`,

  Files: `query Files($first: Int, $after: String) {
    files(first: $first, after: $after) {
      edges { entry: node { ...FileFields } } pageInfo { hasNextPage endCursor }
    }
  } ${file}`,

  DeleteFile: `mutation DeleteFile($id: ID!) { deleteFile(id: $id) { deletedId } }`,

  Models: `query Models {
    service {
      models {
        id provider inputPrice cachedInputPrice cacheWritePrice outputPrice priceSource
        contextTokens providerBatch
      }
    }
  }`,

  Quote: `query Quote($input: QuoteInput!) {
    quote(input: $input) {
      items sampledItems unaskableItems identicalItems models { ...QuoteFields }
    }
  } ${modelQuote}`,

  Spending: `query Spending($month: String) {
    spending(month: $month) {
      month budgetUsd remainingUsd usage { ...UsageFields cacheSavedUsd }
      byModel { model execution usage { ...UsageFields cacheSavedUsd } }
    }
  } ${usage}`,

  ParseResults: `query ParseResults(
    $fileId: ID!, $responseSchema: JSONObject, $status: [ItemStatus!], $first: Int, $after: String
  ) {
    parseResults(
      fileId: $fileId, responseSchema: $responseSchema, status: $status, first: $first
      after: $after
    ) {
      edges { entry: node { customId status output error { code message } rejectedAnswer } }
      pageInfo { hasNextPage endCursor }
    }
  }`,
};
