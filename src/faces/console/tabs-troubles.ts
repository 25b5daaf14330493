/** A tab of GraphiQL about what goes wrong. */

export const failures = `# What went wrong in your newest batches, and who
# was told. What succeeded is never paid for again:
#   mutation {
#     retryBatch(id: "batch_…") { retriedItems }
#   }
# Also: cancelBatch, startBatch, deleteBatch.
#
# Submit with webhookUrl to be told of the end. Its
# calls are signed: any Standard Webhooks library
# verifies them with the secret in WEBHOOK_SECRET.
# redeliverWebhook sends one again.

query Failures {
  batches(first: 5) {
    totalCount
    edges {
      node {
        id
        name
        status
        error
        errorSummary {
          code
          count
          message
        }
        counts {
          succeeded
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
