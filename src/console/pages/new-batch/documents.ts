/** Queries and mutations of the form of a new batch. */
import { graphql } from '../../data/graphql.ts';

export const NewBatchService = graphql(`
  query NewBatchService {
    service {
      defaultModel
      priceListDate
      limits {
        fileBytes
        fileRows
        inlineItems
        syncItems
      }
      models {
        id
        provider
        inputPrice
        outputPrice
        providerBatch
      }
      providers {
        name
        requestsPerMinute
        tokensPerMinute
        models {
          model
          requestsPerMinute
          tokensPerMinute
        }
      }
    }
  }
`);

export const SourceFile = graphql(`
  query SourceFile($id: ID!) {
    file(id: $id) {
      id
      name
      format
      sizeBytes
      itemCount
      columns
      contentField
      customIdField
      rejectedCount
      blankCount
      warnings
      rejections {
        row
        reason
      }
    }
  }
`);

export const RecentFiles = graphql(`
  query RecentFiles {
    files(first: 20) {
      edges {
        node {
          id
          name
          format
          itemCount
          createdAt
        }
      }
    }
  }
`);

export const SampleRows = graphql(`
  query SampleRows($id: ID!, $first: Int!, $seed: Int!) {
    file(id: $id) {
      id
      sample(first: $first, seed: $seed)
    }
  }
`);

export const SourceBatch = graphql(`
  query SourceBatch($id: ID!) {
    batch(id: $id) {
      id
      name
      operation
      options
      model
      execution
      maxCostUsd
      webhookUrl
      file {
        id
      }
    }
  }
`);

export const QuoteRun = graphql(`
  query QuoteRun($input: QuoteInput!) {
    quote(input: $input) {
      items
      sampledItems
      unaskableItems
      identicalItems
      models {
        model
        outputBasis
        tokenizerExact
        tooLongItems
        caveats
        firstRequest
        inputTokens {
          low
        }
        outputTokens {
          low
        }
        liveUsd {
          low
          expected
          high
        }
        liveCachedUsd {
          low
          expected
          high
        }
        providerBatchUsd {
          low
          expected
          high
        }
      }
    }
  }
`);

export const SubmitBatch = graphql(`
  mutation SubmitBatch($input: SubmitBatchInput!) {
    submitBatch(input: $input) {
      batch {
        id
        status
      }
    }
  }
`);

const shared = `
  customId
  error { code message }
  usage { costUsd inputTokens outputTokens }
`;

/** One synchronous mutation an operation: answers of some rows, and no batch. */
export const tryDocuments = {
  label: tryDocument('label', 'label labels confidence'),
  extract: tryDocument('extract', 'data'),
  summarize: tryDocument('summarize', 'summary data'),
  enrich: tryDocument('enrich', 'data'),
  run: tryDocument('run', 'text data'),
} as const;

function tryDocument(operation: string, fields: string): string {
  const type = `${operation[0]?.toUpperCase()}${operation.slice(1)}Options`;
  const given = operation === 'summarize' ? type : `${type}!`;
  return `mutation Try($items: [ItemInput!]!, $options: ${given}) {
    ${operation}(items: $items, options: $options) {
      model
      usage { costUsd }
      results { index ${shared} ${fields} }
    }
  }`;
}
