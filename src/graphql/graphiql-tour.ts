/** Tabs of GraphiQL for a first visit: answers at once, a batch, its progress, its answers. */

export const welcome = `# Welcome to Winnow: language-model operations over
# datasets. Run this with the play button or Ctrl-Enter.
#
# The other tabs run as they are, from left to right:
#   Label          answers up to 50 items at once
#   SubmitBatch    hands over up to 10,000 items
#   LiveProgress   watches your batches as they change
#   Results        reads answers, also while they come
#   Files          shows your uploads, and how to make one
#   Requests       runs requests that are complete already
#   HalfPrice      hands rows to the provider's batch API
#   AtTheProvider  watches the provider's batches
#   Download       signs a link to the answers as a file
#   Retry          shows what failed, and how to go on
#   AnError        shows what bad input is told
#
# Everything is described: open the docs (top left), or
# hold the pointer over a name.
#
# Does the server ask for a key? Open "Headers" below:
#   {"Authorization": "Bearer <key>"}

query Welcome {
  service {
    version
    defaultModel
    models {
      id
      inputPrice
      outputPrice
    }
    limits {
      syncItems
      inlineItems
    }
  }
}
`;

export const label = `# One request, one answer per item, in their order.
# Also: extract, summarize, enrich, run.

mutation Label {
  label(
    items: [
      { content: "I love how quickly the parcel came, thank you!" }
      { content: "The screen was broken and nobody answers my mails." }
      { content: "Does it come in blue as well?", customId: "question-7" }
    ]
    options: {
      categories: ["praise", "complaint", "question"]
      categoryDescriptions: {
        praise: "thanks, love, great, happy"
        complaint: "broken, late, nobody answers, refund"
        question: "asks for information"
      }
    }
  ) {
    model
    results {
      customId
      label
      confidence
      confidenceMethod
      error {
        code
        message
      }
    }
    usage {
      requests
      inputTokens
      outputTokens
      costUsd
    }
  }
}
`;

const texts = [
  'Dr. Ada Palmer joined Terra Ignota Ltd in March 2019 for $120,000 a year.',
  'Write to jo@example.org before 2026-12-01 about invoice 4711.',
  'Nothing of note happened on Tuesday.',
];

export const submit = `# Returns at once with the batch's id; workers answer the
# items. Run it again while LiveProgress is running.

mutation SubmitBatch {
  submitBatch(
    input: {
      name: "people and dates"
      operation: {
        extract: {
          schema: {
            person: "string"
            company: "string"
            email: "string"
            date: "date"
            amount: "number"
          }
        }
      }
      source: {
        texts: [
${texts.map((text) => `          ${JSON.stringify(text)}`).join('\n')}
        ]
      }
    }
  ) {
    batch {
      id
      status
      counts {
        total
      }
    }
  }
}
`;

export const live = `# Shows every batch of yours whenever it changes, until
# you stop it. Nothing comes while nothing changes: start
# it, then run SubmitBatch in another window.
#
# For one batch, to its end:
#   subscription {
#     batchProgress(id: "batch_…") { status progress }
#   }

subscription LiveProgress {
  batchesChanged {
    id
    name
    status
    progress
    itemsPerSecond
    estimatedCompletionAt
    counts {
      total
      pending
      processing
      succeeded
      failed
    }
  }
}
`;

export const results = `# Your newest batch with its items, in input order.
# All of them as a file: GET /batches/<id>/output
# with ?format=csv, jsonl or json.

query Results {
  batches(first: 1) {
    totalCount
    edges {
      node {
        id
        name
        status
        progress
        usage {
          requests
          inputTokens
          outputTokens
        }
        items(first: 10) {
          edges {
            node {
              index
              status
              content
              result {
                ... on LabelResult {
                  label
                  confidence
                }
                ... on ExtractResult {
                  data
                }
              }
              error {
                code
                message
              }
            }
          }
          pageInfo {
            hasNextPage
            endCursor
          }
        }
      }
    }
  }
}
`;
