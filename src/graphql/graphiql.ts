/** What GraphiQL opens with: one tab an idea, each of which runs as it is, in this order. */

const welcome = `# Welcome to Winnow: language-model operations over datasets.
#
# Press the play button (or Ctrl-Enter). The other tabs run as they are, from left to right:
#   Label          answers up to 50 items at once
#   SubmitBatch    hands over up to 10,000 items inline
#   LiveProgress   watches the newest batch that changes, live
#   Results        reads answers in input order, also while the batch runs
#   AnError        what bad input looks like
#
# With an API key: open "Headers" below and give {"Authorization": "Bearer …"}.

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

const label = `mutation Label {
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

const submit = `# Run it, then open the next tab. Run it again while LiveProgress is open.
mutation SubmitBatch {
  submitBatch(
    input: {
      name: "people and dates"
      operation: {
        extract: {
          schema: { person: "string", company: "string", email: "string", date: "date", amount: "number" }
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

const live = `# Every batch of yours that changes, as it changes. Keep it running and submit another batch.
# One batch alone, to its end: subscription { batchProgress(id: "batch_…") { status progress } }
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

const results = `# The newest batch with its items, in input order.
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

const error = `# Bad input is refused as a whole, with every problem at once: see extensions.issues.
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

export const graphiqlTabs = [welcome, label, submit, live, results, error].map((query) => ({
  query,
}));
