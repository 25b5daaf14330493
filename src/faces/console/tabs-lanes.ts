/** A tab of GraphiQL about the provider’s own batch API. */

export const halfPrice = `# For what has time: the rows go to the provider's
# batch API, for up to 24 hours, at about half the
# price. Operations and answers are the same.
# The sandbox has such an API too, and is quick.
#
# rescue: what the provider has not done when its
# time is nearly over is called live, at its price.
#
# Which models have one? See providerBatch:
#   { service { models { id providerBatch } } }
# With an upload: -F execution=provider_batch
#
# WatchProgress shows it move. The provider's side:
#   { batch(id: "batch_…") {
#     providerBatches { providerId status }
#   } }

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
