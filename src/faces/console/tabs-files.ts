/**
 * Tabs of GraphiQL about rows that come as a file, or as requests. Addresses are the server's,
 * without a trailing slash.
 */

export const files = (address: string) => `# Your uploads. To upload a CSV, JSON, JSONL or
# text file and label its rows, in a shell:
#
#   printf 'text\\nGreat work\\nToo late\\n' \\
#     > reviews.csv
#   curl -sS "${address}/files" \\
#     -F operation=label \\
#     -F categories=positive,negative \\
#     -F file=@reviews.csv
#
# Keys? Add -H "Authorization: Bearer <key>".
# The answer names the file and the batch. Or
# upload it alone, and run what you like over it:
#   submitBatch(input: {source: {fileId: …} …})
# Columns are {placeholders} of userPromptTemplate.

query Files {
  service {
    limits {
      fileBytes
      fileRows
    }
  }
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
        warnings
        preview(first: 2)
      }
    }
  }
}
`;

export const requests = (address: string) => `# Rows that are complete requests, sent as they
# are. A file for batches of OpenAI or Anthropic
# runs unchanged:
#
#   printf %s '{"custom_id": "a", "body": ' \\
#     '{"messages": [{"role": "user", ' \\
#     '"content": "Say hi."}]}}' > requests.jsonl
#   curl -sS "${address}/files" \\
#     -F operation=chat -F file=@requests.jsonl
#
# Beside json_object a message has to say JSON.
# parseResults reads output of a batch elsewhere.

mutation OwnRequests {
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
                {
                  role: "system"
                  content: "Answer in JSON, under the key \\"answer\\"."
                }
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
