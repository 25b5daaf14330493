/** Tabs of GraphiQL for a first visit: answers at once, a batch, its progress, its answers. */

export const welcome = `# Welcome to Winnow: operations of language models
# over datasets. Run this with the play button, or
# with Ctrl-Enter.
#
# The other tabs run as they are, in any order:
#   LabelTexts     answers up to 50 items at once
#   SubmitBatch    hands over 2,000 items
#   WatchProgress  shows batches as they change
#   Answers        reads answers, here or as a file
#   Files          shows uploads, and how to upload
#   OwnRequests    runs requests that are complete
#   HalfPrice      uses the provider's batch API
#   Failures       shows what failed, and what next
#
# Everything is described: open the docs (left),
# or hold the pointer over a name.

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
#
# Bad input is refused with every problem and its
# place at once: try temperature: 3 in the options.

mutation LabelTexts {
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
        question: "asks for information: what, when, does it come in"
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

export const submit = `# Returns at once with the id of the batch. Workers
# answer the 2,000 texts under "Variables" below:
# see WatchProgress meanwhile, and then Answers.
#
# sandbox/rules costs nothing, and is no language
# model. Leave model out for the server's own.

mutation SubmitBatch($texts: [String!]!) {
  submitBatch(
    input: {
      name: "people and dates"
      operation: {
        extract: {
          model: "sandbox/rules"
          schema: {
            person: "string"
            company: "string"
            date: "date"
            amount: "number"
          }
        }
      }
      source: { texts: $texts }
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

const first = ['Ada', 'Grace', 'Alan', 'Katherine', 'Edsger', 'Barbara', 'Donald', 'Margaret'];
const last = ['Palmer', 'Okafor', 'Lindqvist', 'Moreau', 'Tanaka', 'Novak', 'Silva', 'Haddad'];
const companies = ['Terra Ignota', 'Blue Harbour', 'Northwind', 'Acme', 'Vega Labs'];
const months = ['January', 'March', 'April', 'June', 'August', 'October'];

/** So many that there is something to watch. Each is another, so that no cache answers. */
export const submitTexts: readonly string[] = Array.from({ length: 2_000 }, (_, n) => {
  const name = `${first[n % 8]} ${last[Math.floor(n / 8) % 8]}`;
  const date = `${(n % 28) + 1} ${months[n % 6]} ${2_000 + (n % 25)}`;
  return `${name} joined ${companies[n % 5]} Ltd on ${date} for $${60_000 + n * 25} a year.`;
});

export const live = `# Your newest batch as it is now, then each of them
# whenever it changes, until you stop it, or open
# another tab. Run SubmitBatch just before, or in
# another window.
#
# One batch, to its end: batchProgress(id: …).
# Its answers as they come: batchResults(id: …).

subscription WatchProgress {
  batchesChanged(snapshot: 1) {
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

/** `address` is where clients reach the server, without a trailing slash. */
export const results = (address: string) => `# Your newest batch. Answers stand in the order of
# the input, also while they come. For all of them
# as a file, click the link, which needs no key for
# 15 minutes, or
#   curl -fsS "<the link>" -o answers.csv
#
# Without a link, and with a key if there are keys:
#   curl -fsS -H "Authorization: Bearer <key>" \\
#     "${address}/batches/<id>/output?format=csv" \\
#     -o answers.csv
# Also format=jsonl, json, openai_jsonl and
# anthropic_jsonl, &status=failed, &include=input.

query Answers {
  batches(first: 1) {
    totalCount
    edges {
      node {
        id
        name
        status
        csv: outputUrl(format: CSV)
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
                ... on SummarizeResult {
                  summary
                }
                ... on EnrichResult {
                  data
                }
                ... on RunResult {
                  text
                  data
                }
                ... on ChatResult {
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
