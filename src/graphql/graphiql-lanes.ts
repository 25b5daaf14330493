/** Tabs of GraphiQL about the provider’s own batch API. */

export const halfPrice = `# For what has time: the rows go to the provider's own
# batch API, at about half the price, for up to 24 hours.
# Operations, answers and output are those of the live
# lane. The sandbox has such an API too, and is quick.
#
# rescue: what the provider has not done when its window
# is nearly over is called live, at the live price.
#
# Which models have one? See providerBatch:
#   { service { models { id providerBatch } } }
# With an upload: -F execution=provider_batch

mutation HalfPrice {
  submitBatch(
    input: {
      name: "at half the price"
      execution: PROVIDER_BATCH
      rescue: true
      operation: {
        label: {
          model: "sandbox/rules"
          categories: ["praise", "complaint"]
          categoryDescriptions: {
            praise: "thanks, love, great, happy"
            complaint: "broken, late, nobody answers, refund"
          }
        }
      }
      source: {
        texts: [
          "I love how quickly the parcel came, thank you!"
          "The screen was broken and nobody answers my mails."
        ]
      }
    }
  ) {
    batch {
      id
      status
      execution
      rescue
      expiresAt
    }
  }
}
`;

export const atTheProvider = `# Run it again to see it move; or, as it moves:
#   subscription {
#     batchProgress(id: "batch_…") {
#       status providerBatches { status }
#     }
#   }
#
# counts of a provider batch are the provider's own, which
# may lag; those of the batch are answers that are here.
# cancelBatch keeps what was finished by then, retryBatch
# sends only what is missing.

query AtTheProvider {
  batches(first: 3) {
    edges {
      node {
        id
        name
        status
        execution
        progress
        counts {
          total
          processing
          succeeded
          failed
          expired
        }
        usage {
          costUsd
        }
        providerBatches {
          id
          provider
          providerId
          status
          counts {
            total
            processing
            succeeded
            failed
          }
          createdAt
          endedAt
        }
      }
    }
  }
}
`;
