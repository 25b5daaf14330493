/** Tabs of GraphiQL about what goes wrong. */

export const retry = `# What went wrong in your newest batches, and who was
# told. What succeeded is never paid for again:
#   mutation {
#     retryBatch(id: "batch_…", errorCodes: [TIMEOUT]) {
#       retriedItems
#     }
#   }
# Also: cancelBatch, startBatch, deleteBatch.
#
# Submit with webhookUrl to be told of the end. Calls are
# signed (webhook-id, -timestamp, -signature), and any
# Standard Webhooks library verifies them with the secret
# in WEBHOOK_SECRET. redeliverWebhook sends one again.

query Retry {
  batches(first: 5) {
    edges {
      node {
        id
        status
        error
        errorSummary {
          code
          count
          message
        }
        counts {
          failed
          cancelled
          expired
        }
        webhookUrl
        webhookDeliveries {
          attempt
          at
          statusCode
          error
          nextAttemptAt
        }
      }
    }
  }
}
`;

export const error = `# Bad input is refused as a whole, with every problem
# and its place at once: see extensions.issues.

mutation AnError {
  label(
    items: [
      { content: "one", customId: "same" }
      { content: "two", customId: "same" }
    ]
    options: { categories: ["only one"], temperature: 3 }
  ) {
    results {
      label
    }
  }
}
`;
