/** What GraphiQL opens with: one tab an idea, each of which runs as it is, in this order. */

const welcome = `# Welcome to Winnow: language-model operations over
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

const label = `# One request, one answer per item, in their order.
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

const submit = `# Returns at once with the batch's id; workers answer the
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

const live = `# Shows every batch of yours whenever it changes, until
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

const results = `# Your newest batch with its items, in input order.
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

const files = `# Upload a CSV, JSON, JSONL or text file and label its
# rows in one go, from a shell:
#
#   curl -s localhost:4000/files -F file=@reviews.csv \\
#     -F operation=label -F categories=positive,negative
#
# The answer names the file and the batch. Or upload it
# alone, and run operations over it whenever you like:
#   submitBatch(input: { source: { fileId: "file_…" } … })
# Its columns are {placeholders} for userPromptTemplate.

query Files {
  files(first: 5) {
    totalCount
    edges {
      node {
        id
        name
        format
        itemCount
        columns
        contentField
        rejectedCount
        rejections {
          row
          reason
        }
        preview(first: 2)
      }
    }
  }
}
`;

const requests = `# Rows that are complete requests, sent as they are. A
# file for OpenAI's batch API runs unchanged:
#
#   curl -s localhost:4000/files -F file=@requests.jsonl \\
#     -F operation=chat
#
# parseResults reads the output of a batch elsewhere.

mutation Requests {
  submitBatch(
    input: {
      name: "as they are"
      operation: { chat: { responseSchema: { answer: "string" } } }
      source: {
        requests: [
          {
            custom_id: "first"
            body: {
              messages: [
                { role: "user", content: "Is this good? Great work!" }
              ]
              response_format: { type: "json_object" }
            }
          }
        ]
      }
    }
  ) {
    batch {
      id
      status
      items {
        edges {
          node {
            customId
            request
          }
        }
      }
    }
  }
}
`;

const halfPrice = `# For what has time: the rows go to the provider's own
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

const atTheProvider = `# Run it again to see it move; or, as it moves:
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

const download = `# Your newest batch as a file. The link needs no key and
# is good for 15 minutes: open it, or
#   curl -OJ "<the link>"
# With a key of your own: GET /batches/<id>/output
#   ?format=csv, jsonl, json or openai_jsonl
#   &status=failed  &include=input,request
#   &after=999 goes on behind that index

query Download {
  batches(first: 1) {
    edges {
      node {
        id
        name
        status
        counts {
          total
          succeeded
        }
        csv: outputUrl(format: CSV)
        failed: outputUrl(status: [FAILED], includeInput: true)
      }
    }
  }
}
`;

const retry = `# What went wrong in your newest batches, and who was
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

const error = `# Bad input is refused as a whole, with every problem
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

export const graphiqlTabs = [
  welcome,
  label,
  submit,
  live,
  results,
  files,
  requests,
  halfPrice,
  atTheProvider,
  download,
  retry,
  error,
].map((query) => ({ query }));
