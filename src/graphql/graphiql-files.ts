/** Tabs of GraphiQL about what comes in and goes out as a file. */

export const files = `# Upload a CSV, JSON, JSONL or text file and label its
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

export const requests = `# Rows that are complete requests, sent as they are. A
# file for OpenAI's or Anthropic's batches runs unchanged:
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

export const download = `# Your newest batch as a file. The link needs no key and
# is good for 15 minutes: open it, or
#   curl -OJ "<the link>"
# With a key of your own: GET /batches/<id>/output
#   ?format=csv, jsonl, json, openai_jsonl or
#   anthropic_jsonl
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
