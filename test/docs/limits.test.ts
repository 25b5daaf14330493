/**
 * Numbers that are told are those that are enforced: in docs/reference/limits.md, in
 * `service.limits` and in descriptions.
 */

import { graphql } from 'graphql';
import { describe, expect, it } from 'vitest';
import { maxLabels } from '../../src/app/answer-filter.ts';
import { deadlineMs } from '../../src/app/answer-items.ts';
import { maxKeptKeys } from '../../src/app/api-keys.ts';
import {
  maxExpirySeconds,
  maxInlineItems,
  maxSyncItems,
  previewItems,
} from '../../src/app/inputs.ts';
import { defaultExpirySeconds } from '../../src/app/store-batch.ts';
import { maxMetadataBytes, maxOptionsBytes } from '../../src/app/submit.ts';
import { maxMessageRequests } from '../../src/app/submit-messages.ts';
import { maxItemMessage } from '../../src/core/errors.ts';
import { maxCustomIdLength } from '../../src/core/ids.ts';
import { maxJsonDepth, maxNumberLength } from '../../src/core/json.ts';
import { endedKeyDays, maxListedKeys } from '../../src/db/api-keys.ts';
import { maxPerOwner, readTimeoutMs } from '../../src/db/driver/request-line.ts';
import { maxPerBatch } from '../../src/db/provider-batches-read.ts';
import { fatalCrashes } from '../../src/db/reclaims.ts';
import { minFreeBytes, minFreeShare } from '../../src/db/room.ts';
import * as webhooks from '../../src/db/webhooks.ts';
import * as results from '../../src/engine/live/results-watch.ts';
import { maxRepairs } from '../../src/engine/run/execute.ts';
import { roomCharacters, shortPrompt } from '../../src/engine/run/prompt-room.ts';
import * as rejectedAnswer from '../../src/engine/run/rejected-answer.ts';
import * as messagePages from '../../src/faces/anthropic/batch-list.ts';
import * as messageBatches from '../../src/faces/anthropic/batches.ts';
import { maxAnswerBytes } from '../../src/faces/graphql/answer-size.ts';
import * as budget from '../../src/faces/graphql/budget.ts';
import { costLimits } from '../../src/faces/graphql/cost.ts';
import * as document from '../../src/faces/graphql/document.ts';
import { maxIssues } from '../../src/faces/graphql/errors.ts';
import { maxPreviewRows } from '../../src/faces/graphql/file.ts';
import * as introspection from '../../src/faces/graphql/introspection.ts';
import { maxExcerpt } from '../../src/faces/graphql/item.ts';
import { maxCustomIds, maxSearch } from '../../src/faces/graphql/item-list.ts';
import * as errors from '../../src/faces/graphql/limit-errors.ts';
import { maxMultipartBytes, maxParts } from '../../src/faces/graphql/multipart.ts';
import { defaultPageSize, filterCost, maxPageSize } from '../../src/faces/graphql/page.ts';
import { maxBodyBytes } from '../../src/faces/graphql/requests.ts';
import { schema } from '../../src/faces/graphql/schema.ts';
import { charactersPerPoint } from '../../src/faces/graphql/schema-cost.ts';
import * as sockets from '../../src/faces/graphql/sockets.ts';
import { maxSnapshot } from '../../src/faces/graphql/subscriptions.ts';
import { uploadCost } from '../../src/faces/graphql/upload-file.ts';
import { maxSearchMs } from '../../src/faces/graphql/walk.ts';
import { readerPatienceMs } from '../../src/faces/http/event-stream.ts';
import { maxFailures } from '../../src/faces/http/failed-keys.ts';
import { maxFieldBytes, maxFields, maxFormBytes } from '../../src/faces/http/form.ts';
import { maxFieldValues } from '../../src/faces/http/form-values.ts';
import { maxBodyValues, maxNumerals, maxWideBodyBytes } from '../../src/faces/http/json-body.ts';
import { maxNames, maxValues } from '../../src/faces/http/json-size.ts';
import { maxLiveBodyBytes } from '../../src/faces/http/live-route.ts';
import * as received from '../../src/faces/http/received.ts';
import { requestTimeoutMs } from '../../src/faces/http/server.ts';
import { linkMinutes } from '../../src/faces/http/signed-link.ts';
import { metadataLimits as metadata } from '../../src/faces/openai/batch-fields.ts';
import * as openAiBatches from '../../src/faces/openai/batches.ts';
import * as fileUpload from '../../src/faces/openai/file-upload.ts';
import { maxListedFiles } from '../../src/faces/openai/files.ts';
import { maxOptions } from '../../src/faces/rest/batch-fields.ts';
import {
  maxNameBytes,
  maxReasonLength,
  maxRejections,
  maxRowValues,
  readLimits,
  requestFileLimits,
} from '../../src/files/read/limits.ts';
import { maxProblems } from '../../src/files/read/line-problem.ts';
import { maxCountedTries } from '../../src/model/retry.ts';
import { checkLimitMs } from '../../src/operations/check-time.ts';
import { maxValidValues } from '../../src/operations/enrich-fields.ts';
import { maxEnrichFields } from '../../src/operations/enrich-params.ts';
import * as examples from '../../src/operations/examples.ts';
import { maxPatternLength } from '../../src/operations/json-schema/check.ts';
import * as answerSchema from '../../src/operations/json-schema/size.ts';
import * as label from '../../src/operations/label-params.ts';
import { maxItemPromptLength } from '../../src/operations/template.ts';
import { maxPromptLength } from '../../src/operations/text.ts';
import { maxPerHost, maxPerHostMinute } from '../../src/webhooks/deliver.ts';
import { readPage } from './documents.ts';

const told = (number: number) => number.toLocaleString('en');
const megabytes = (bytes: number) => `${bytes / 1_048_576} MB`;
const seconds = (milliseconds: number) => `${milliseconds / 1_000} s`;
const hours = (inSeconds: number) => `${inSeconds / 3_600} h`;
const { parts, references, branches, values, patterns } = answerSchema.limits;

/** What each row of the page says, from what is enforced. */
const rows: [what: string, limit: string][] = [
  ['a JSON body of `/graphql`', `${told(maxBodyBytes)} bytes`],
  ['a JSON body of `/v1/batches`', megabytes(openAiBatches.maxBodyBytes)],
  ['values in a JSON body of `/graphql`', told(maxValues)],
  ['different names in JSON of a body or a form', told(maxNames)],
  ['a number in JSON of a body, a form or a row', `${told(maxNumberLength)} characters`],
  ['values in a JSON body of `/v1`', told(maxBodyValues)],
  ['numbers in a JSON body of `/v1` together', `${told(maxNumerals)} characters`],
  ['a JSON body of `/v1` with characters beyond Latin-1', `${told(maxWideBodyBytes)} bytes`],
  ['a body with a file (`uploadFile`)', `${told(maxMultipartBytes)} bytes, ${maxParts} parts`],
  [
    'a create of a message batch (`POST /v1/messages/batches`)',
    `${told(messageBatches.maxBodyBytes)} bytes, ${told(maxMessageRequests)} requests`,
  ],
  [
    'a body of `/v1/chat/completions` or `/v1/messages`',
    `${told(maxLiveBodyBytes)} bytes, ${maxJsonDepth} levels`,
  ],
  [
    'the pace of a body',
    `${told(received.minBytesPerSecond)} bytes a second on average, after the first ${seconds(received.graceMs)}`,
  ],
  ['the time of a body of `/graphql`', seconds(received.wholeBodyMs)],
  ['the time of a body of a live call', seconds(received.wholeBodyMs)],
  ['a stream of which nothing is taken', seconds(readerPatienceMs)],
  ['the time of an upload', `${requestTimeoutMs / 60_000} min`],
  [
    'a body without a valid key',
    `not read; closed after ${megabytes(received.strangerBytes)} or ${seconds(received.lingerMs)}`,
  ],
  ['wrong keys from an address in a minute', told(maxFailures)],
  ['keys of an owner that are neither revoked nor expired', told(maxListedKeys)],
  [`keys of an owner with those that ended in the last ${endedKeyDays} days`, told(maxKeptKeys)],
  ['bytes before it is acknowledged', told(sockets.maxBytesBeforeAck)],
  ['time until `connection_init`', seconds(sockets.initTimeoutMs)],
  ['a message', megabytes(sockets.maxMessageBytes)],
  ['operations at once', told(sockets.maxOperations)],
  ['sockets of one owner in a process, on a server with keys', told(sockets.maxSockets)],
  ['characters', told(document.maxCharacters)],
  ['words and signs', told(document.maxTokens)],
  ['comments', told(document.maxComments)],
  ['characters of a name', told(document.maxNameCharacters)],
  ['fields and variables as written', told(document.maxSelections)],
  [
    'fields of the schema itself (introspection)',
    `${told(introspection.maxSelections)}, and twice the whole schema`,
  ],
  ['levels', told(costLimits.depth)],
  ['fields, with fragments spread', told(costLimits.breadth)],
  ['cost: each field counts 1, times the page sizes above it', told(costLimits.complexity)],
  [
    'cost of `items` or `parseResults` under a filter, and of `uploadFile`; twice that for a search',
    `${told(filterCost)} each`,
  ],
  ['cost of an answer schema', `1 for ${charactersPerPoint} characters`],
  ['a page of a list', `${told(maxPageSize)} entries; ${defaultPageSize} where no size is given`],
  [
    'a page of `GET /v1/batches`',
    `${openAiBatches.maxListedBatches} entries; ${openAiBatches.defaultListedBatches} where no \`limit\` is given`,
  ],
  [
    'a page of `GET /v1/messages/batches`',
    `${told(messagePages.maxPage)} entries; ${messagePages.defaultPage} where no \`limit\` is given`,
  ],
  ['rows of a file that `preview` or `sample` shows', told(maxPreviewRows)],
  ['batches of `batchesChanged(snapshot:)`', told(maxSnapshot)],
  ['characters of `excerpt`', told(maxExcerpt)],
  ['`labels` of `items`, `outputUrl` or an output', told(maxLabels)],
  ['`search` of `items`', `${maxSearch} characters`],
  ['items that a filter by label, confidence or text looks at', `for ${maxSearchMs / 1_000} s`],
  ['`customIds` of `items` or `retryBatch`', told(maxCustomIds)],
  ['items answered at once', told(maxSyncItems)],
  ['prompts of these items', `${told(budget.maxPromptCharacters)} characters`],
  ['inline items submitted', told(maxInlineItems)],
  ['rows of files submitted', told(readLimits.rows)],
  [
    'rows, answers and options read; the first row is read whatever its size',
    megabytes(budget.maxReadBytes),
  ],
  ['rows, answers and options sent', megabytes(budget.maxSentBytes)],
  ['values in lists inside of entries, such as labels or columns', told(budget.maxListValues)],
  ['the whole answer as JSON', megabytes(maxAnswerBytes)],
  [
    'an answer of errors',
    `${told(errors.maxCharacters)} characters; ${maxIssues} issues; messages of ${told(errors.maxMessage)}, names of ${errors.maxQuoted}`,
  ],
  [`reads of over ${megabytes(budget.smallBytes)} of an owner`, 'one request at a time'],
  ['statements of an owner at the database', `${maxPerOwner} at once`],
  ['a read of the database', seconds(readTimeoutMs)],
  ['a synchronous operation', seconds(deadlineMs)],
  ['slow checks of answers', `${checkLimitMs} ms of work`],
  ['a custom id', `${maxCustomIdLength} characters`],
  ['JSON in options, metadata, rows and answers', `${maxJsonDepth} levels deep`],
  ['values of a JSON row', told(maxRowValues)],
  ['metadata of a batch, as JSON', `${told(maxMetadataBytes)} bytes`],
  [
    "metadata of a batch in OpenAI's API",
    `${metadata.maxKeys} keys of ${metadata.maxKeyLength} characters, texts of ${metadata.maxTextLength}`,
  ],
  ['options of a batch, as JSON', megabytes(maxOptionsBytes)],
  ['a system prompt, template or instructions', `${told(maxPromptLength)} characters`],
  ['the prompt of an item', `${told(maxItemPromptLength)} characters`],
  ['an answer schema, as JSON', `${told(answerSchema.maxSchemaLength)} characters`],
  [
    'parts of an answer schema',
    `${told(parts.most)} schemas, ${references.most} references, ${branches.most} branches, ${told(values.most)} values, ${patterns.most} patterns`,
  ],
  ['a pattern of an answer schema', `${told(maxPatternLength)} characters`],
  ['categories', `${label.minCategories} to ${label.maxCategories}`],
  ['fields of `enrich`', `${maxEnrichFields}; of each ${maxValidValues} valid values`],
  ['examples', told(examples.maxExamples)],
  [
    'rows of the `preview` of a batch',
    `${previewItems.min} to ${told(previewItems.max)}, and fewer than it has`,
  ],
  ['`n` of a chat request', '1'],
  ['a file', `${told(readLimits.fileBytes)} bytes, ${told(readLimits.rows)} rows`],
  [
    'a file of `POST /v1/files`',
    `${told(requestFileLimits.fileBytes)} bytes, ${told(requestFileLimits.rows)} lines`,
  ],
  [
    'the end of a file of `POST /v1/files`, by `expires_after`',
    `${told(fileUpload.minExpirySeconds)} s to ${told(fileUpload.maxExpirySeconds)} s`,
  ],
  ['lines of such a file that are told as not requests', `the first ${maxProblems}`],
  ['files that `GET /v1/files` lists at once', told(maxListedFiles)],
  ['a row', megabytes(readLimits.rowBytes)],
  ['columns', `${told(readLimits.columns)}, with names of ${megabytes(maxNameBytes)} together`],
  [
    'form fields beside a file',
    `${maxFields}, of ${megabytes(maxFieldBytes)} each and ${megabytes(maxFormBytes)} together`,
  ],
  ['values in the JSON of a form field', told(maxFieldValues)],
  ['members of the form field `options`', told(maxOptions)],
  [
    'refused rows that are listed',
    `${told(maxRejections)}, with reasons of ${maxReasonLength} characters`,
  ],
  [
    'free space of an embedded Postgres',
    `at least ${megabytes(minFreeBytes)} and ${minFreeShare * 100} %`,
  ],
  ['a signed link to an output', `${linkMinutes} min`],
  [
    'the life of a batch',
    `${hours(defaultExpirySeconds.LIVE)}; with \`PROVIDER_BATCH\` ${hours(defaultExpirySeconds.PROVIDER_BATCH)}; by \`expiresInSeconds\` up to ${maxExpirySeconds / 86_400} days`,
  ],
  [
    `prompts of over ${told(shortPrompt)} characters under way in a process`,
    `${told(roomCharacters)} characters`,
  ],
  ['requests for an answer that breaks its schema', told(1 + maxRepairs)],
  ['requests that a provider fails', told(maxCountedTries)],
  ['crashes of workers under an item', told(fatalCrashes)],
  ["the message of an item's error", `${maxItemMessage} characters, ten names of a list`],
  ['a refused answer that is kept', `${told(rejectedAnswer.maxLength)} characters`],
  ['an event of `batchResults`', `${results.pageSize} items, ${megabytes(results.pageBytes)}`],
  [
    '`webhookDeliveries` and `providerBatches` of a batch',
    `the latest ${webhooks.maxDeliveries} and ${told(maxPerBatch)}`,
  ],
  ['calls of webhooks to one host at once, of all owners and processes', told(maxPerHost)],
  ['calls of webhooks to one host in a minute, in the same way', told(maxPerHostMinute)],
  ['metadata in a webhook', `${told(webhooks.maxMetadataBytes)} bytes`],
  ['`redeliverWebhook` of a batch', `once in ${webhooks.redeliverySeconds} s`],
];

describe('docs/reference/limits.md', () => {
  const listed = readPage('docs/reference/limits.md')
    .split('\n')
    .filter((line) => /^\| (?!\*\*|what \|)/.test(line))
    .map((line) => line.split(' | ').slice(0, 2))
    .map(([what = '', limit = '']) => [what.slice(2), limit]);

  it('has each limit with its number, and no other', () => {
    expect(listed).toEqual(rows);
  });
});

it('one number is meant where the page has one for two', () => {
  expect(uploadCost).toBe(filterCost);
});

it('service.limits are the limits that uploads and requests are held to', async () => {
  const { data, errors: failed } = await graphql({
    schema,
    contextValue: { scopes: new Set(['READ']) },
    source: '{ service { limits { syncItems inlineItems fileBytes fileRows pageSize } } }',
  });

  expect(failed).toBeUndefined();
  expect(data).toEqual({
    service: {
      limits: {
        syncItems: maxSyncItems,
        inlineItems: maxInlineItems,
        fileBytes: readLimits.fileBytes,
        fileRows: readLimits.rows,
        pageSize: maxPageSize,
      },
    },
  });
});

it('the schema says of rejections what is kept', () => {
  expect(schema.getType('File')?.toConfig()).toMatchObject({
    fields: { rejections: { description: expect.stringContaining(told(maxRejections)) } },
  });
});
