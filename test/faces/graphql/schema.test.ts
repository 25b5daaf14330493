/**
 * What frontends build on: the printed schema is committed, everything is described, and the
 * promised names are there.
 */
import { readFileSync } from 'node:fs';
import {
  buildSchema,
  type GraphQLArgument,
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  lexicographicSortSchema,
  printSchema,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { schema } from '../../../src/faces/graphql/schema.ts';

const types = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'));

it('schema.graphql is what the code prints', () => {
  const committed = readFileSync(new URL('../../../schema.graphql', import.meta.url), 'utf8');

  expect(`${printSchema(lexicographicSortSchema(schema))}\n`).toBe(committed);
});

it('every type, field, argument and value says more than its name', () => {
  const silent = types
    .flatMap(described)
    .filter(({ name, description }) => !saysMore(name, description))
    .map(({ name }) => name);

  expect(silent).toEqual([]);
});

it('no description speaks twice, trails off, or shows what it was made from', () => {
  for (const { name, description } of types.flatMap(described)) {
    expect(description, name).toMatch(/^\S.*[.!)”"]$/s);
    expect(description, name).not.toMatch(/undefined|\[object|TODO|\.\.\s/);
  }
});

it('every description says what a value is, in short sentences', () => {
  const longest = 25;
  for (const { name, description } of types.flatMap(described)) {
    expect(description, name).not.toMatch(/^(What|How|Whether|Of|When|It|Its|Where)\b/);
    for (const sentence of (description ?? '').split(/(?<=[.:;])\s+/)) {
      expect(sentence.split(/\s+/).length, `${name}: ${sentence}`).toBeLessThanOrEqual(longest);
    }
  }
});

/**
 * The promised part of the schema, as SDL: fields and arguments with their exact types; more may
 * exist.
 */
const promised = buildSchema(/* GraphQL */ `
  scalar DateTime
  scalar JSON
  scalar JSONObject
  scalar SafeInt

  interface Node { id: ID! }

  input ItemInput { content: String!, customId: String, metadata: JSONObject }

  input LabelOptions {
    categories: [String!]!
    categoryDescriptions: JSONObject
    multiLabel: Boolean = false
    instructions: String
    examples: [LabelExampleInput!]
    model: String, temperature: Float, maxOutputTokens: Int, systemPrompt: String, topP: Float, seed: Int
    reasoningEffort: String, extraBody: JSONObject, userPromptTemplate: String
    includeContext: Boolean = false, referenceDate: String
  }
  input LabelExampleInput { content: String!, labels: [String!]!, metadata: JSONObject }
  input ExtractExampleInput { content: String!, metadata: JSONObject, output: JSONObject! }
  input EnrichExampleInput { content: String!, metadata: JSONObject, output: JSONObject! }
  input ExtractOptions {
    schema: JSONObject
    examples: [ExtractExampleInput!]
    instructions: String
    model: String, temperature: Float, maxOutputTokens: Int, systemPrompt: String, topP: Float, seed: Int
    reasoningEffort: String, extraBody: JSONObject, userPromptTemplate: String
    includeContext: Boolean = false, referenceDate: String
  }
  enum ResponseFormat { TEXT JSON_OBJECT JSON_SCHEMA }
  input ResponseFormatInput { type: ResponseFormat!, schema: JSONObject }
  input SummarizeOptions {
    instructions: String
    responseFormat: ResponseFormatInput
    model: String, temperature: Float, maxOutputTokens: Int, systemPrompt: String, topP: Float, seed: Int
    reasoningEffort: String, extraBody: JSONObject, userPromptTemplate: String
    includeContext: Boolean = false, referenceDate: String
  }
  enum EnrichFieldType { CATEGORICAL NUMERIC TEXT BOOLEAN DATE LIST }
  input EnrichFieldInput {
    name: String!
    type: EnrichFieldType = TEXT
    description: String
    validValues: [String!]
    examples: [JSON!]
  }
  input EnrichOptions {
    fields: [EnrichFieldInput!]!
    runtimeCategories: JSONObject
    examples: [EnrichExampleInput!]
    model: String, temperature: Float, maxOutputTokens: Int, systemPrompt: String, topP: Float, seed: Int
    reasoningEffort: String, extraBody: JSONObject, userPromptTemplate: String
    includeContext: Boolean = false, referenceDate: String
  }
  input RunOptions {
    operation: String
    instructions: String
    responseFormat: ResponseFormatInput
    model: String, temperature: Float, maxOutputTokens: Int, systemPrompt: String, topP: Float, seed: Int
    reasoningEffort: String, extraBody: JSONObject, userPromptTemplate: String
    includeContext: Boolean = false, referenceDate: String
  }

  interface ItemResult { index: Int!, customId: String!, error: ItemError, usage: Usage }
  type LabelResult implements ItemResult { index: Int!, customId: String!, label: String, labels: [String!], confidence: Float, confidenceMethod: ConfidenceMethod, error: ItemError, usage: Usage }
  type ExtractResult implements ItemResult { index: Int!, customId: String!, data: JSON, error: ItemError, usage: Usage }
  type SummarizeResult implements ItemResult { index: Int!, customId: String!, summary: String, data: JSON, error: ItemError, usage: Usage }
  type EnrichResult implements ItemResult { index: Int!, customId: String!, data: JSON, error: ItemError, usage: Usage }
  type RunResult implements ItemResult { index: Int!, customId: String!, text: String, data: JSON, error: ItemError, usage: Usage }
  enum ConfidenceMethod { LOGPROBS MODEL_REPORTED AGREEMENT }
  type Usage { requests: Int!, inputTokens: SafeInt!, cachedInputTokens: SafeInt!, cacheWriteTokens: SafeInt!, outputTokens: SafeInt!, reasoningTokens: SafeInt!, unmeteredRequests: Int!, costUsd: Float, cacheSavedUsd: Float }
  type ItemError { code: ItemErrorCode!, message: String! }
  enum ItemErrorCode { INVALID_OUTPUT TRUNCATED REFUSED CONTENT_FILTERED CONTEXT_TOO_LONG INVALID_REQUEST TEMPLATE_FIELD_MISSING RATE_LIMITED TIMEOUT PROVIDER_ERROR WORKER_CRASHED }

  type LabelPayload { results: [LabelResult!]!, model: String!, usage: Usage! }
  type ExtractPayload { results: [ExtractResult!]!, model: String!, usage: Usage! }
  type SummarizePayload { results: [SummarizeResult!]!, model: String!, usage: Usage! }
  type EnrichPayload { results: [EnrichResult!]!, model: String!, usage: Usage! }
  type RunPayload { results: [RunResult!]!, model: String!, usage: Usage! }

  input OperationInput @oneOf { label: LabelOptions, extract: ExtractOptions, summarize: SummarizeOptions, enrich: EnrichOptions, run: RunOptions }
  input SourceInput @oneOf { items: [ItemInput!], texts: [String!] }
  enum Operation { LABEL EXTRACT SUMMARIZE ENRICH RUN }
  enum Execution { LIVE PROVIDER_BATCH }
  input SubmitBatchInput {
    operation: OperationInput!
    source: SourceInput!
    name: String
    metadata: JSONObject
    autoStart: Boolean = true
    execution: Execution = LIVE
    rescue: Boolean = false
    idempotencyKey: String
    expiresInSeconds: Int
  }
  enum BatchStatus { DRAFT QUEUED PROCESSING CANCELLING COMPLETED FAILED CANCELLED EXPIRED }
  enum BatchErrorCode { INVALID_KEY QUOTA_EXHAUSTED UNKNOWN_MODEL PROVIDER_REJECTED_FILE DUPLICATE_CUSTOM_ID INVALID_INPUT_FILE INTERNAL }
  type Batch implements Node {
    id: ID!
    operation: Operation!
    options: JSONObject!
    model: String!
    status: BatchStatus!
    progress: Float!
    counts: BatchCounts!
    usage: Usage!
    name: String
    metadata: JSONObject
    execution: Execution!
    providerBatches: [ProviderBatch!]!
    createdAt: DateTime!
    startedAt: DateTime
    completedAt: DateTime
    cancelInitiatedAt: DateTime
    expiresAt: DateTime!
    itemsPerSecond: Float
    estimatedCompletionAt: DateTime
    error: String
    errorCode: BatchErrorCode
    errorSummary: [ErrorCount!]!
    resentRequests: Int!
    items(first: Int, after: String, last: Int, before: String, status: [ItemStatus!], customIds: [String!], errorCodes: [ItemErrorCode!]): BatchItemConnection!
  }
  type ProviderBatch { id: ID!, providerId: String, provider: String!, status: String!, counts: BatchCounts!, createdAt: DateTime!, endedAt: DateTime }
  type BatchCounts { total: Int!, pending: Int!, processing: Int!, succeeded: Int!, failed: Int!, cancelled: Int!, expired: Int! }
  type ErrorCount { code: ItemErrorCode!, count: Int!, message: String! }
  enum ItemStatus { PENDING PROCESSING SUCCEEDED FAILED CANCELLED EXPIRED }
  type BatchItem implements Node {
    id: ID!
    index: Int!
    customId: String!
    status: ItemStatus!
    content: String!
    metadata: JSONObject
    output: JSON
    result: ItemResult
    batch: Batch!
    error: ItemError
    attempts: Int!
    usage: Usage
    completedAt: DateTime
  }
  type BatchConnection { edges: [BatchEdge!]!, pageInfo: PageInfo!, totalCount: Int! }
  type BatchEdge { node: Batch!, cursor: String! }
  type BatchItemConnection { edges: [BatchItemEdge!]!, pageInfo: PageInfo!, totalCount: Int! }
  type BatchItemEdge { node: BatchItem!, cursor: String! }
  type PageInfo { hasNextPage: Boolean!, hasPreviousPage: Boolean!, startCursor: String, endCursor: String }
  type SubmitBatchPayload { batch: Batch! }
  type StartBatchPayload { batch: Batch! }
  type CancelBatchPayload { batch: Batch! }
  input BatchFilter { status: [BatchStatus!], operation: [Operation!], name: String, createdAfter: DateTime, createdBefore: DateTime, idempotencyKey: String }

  type Service { version: String!, defaultModel: String!, models: [Model!]!, limits: Limits! }
  type Model { id: String!, provider: String!, inputPrice: Float, cachedInputPrice: Float, cacheWritePrice: Float, outputPrice: Float, contextTokens: Int, priceSource: PriceSource, providerBatch: Boolean }
  enum PriceSource { CONFIGURED LIST LIST_SIMILAR }
  type Limits { syncItems: Int!, inlineItems: Int!, fileBytes: Int!, fileRows: Int!, pageSize: Int! }

  type Query {
    service: Service!
    node(id: ID!): Node
    batch(id: ID!): Batch
    batches(first: Int, after: String, last: Int, before: String, filter: BatchFilter): BatchConnection!
  }
  type Mutation {
    label(items: [ItemInput!]!, options: LabelOptions!): LabelPayload!
    extract(items: [ItemInput!]!, options: ExtractOptions!): ExtractPayload!
    summarize(items: [ItemInput!]!, options: SummarizeOptions): SummarizePayload!
    enrich(items: [ItemInput!]!, options: EnrichOptions!): EnrichPayload!
    run(items: [ItemInput!]!, options: RunOptions!): RunPayload!
    submitBatch(input: SubmitBatchInput!): SubmitBatchPayload!
    startBatch(id: ID!): StartBatchPayload!
    cancelBatch(id: ID!): CancelBatchPayload!
  }
  type Subscription {
    batchProgress(id: ID!): Batch!
    batchResults(id: ID!, after: String): BatchResultsEvent!
    batchesChanged(filter: BatchFilter): Batch!
  }
  type BatchResultsEvent { items: [BatchItem!]!, cursor: String! }

  scalar Upload
  type File implements Node { id: ID! }
  type UploadFilePayload { file: File! }
  type ParsedResult { customId: String!, status: ItemStatus!, output: JSON, error: ItemError }
  type ParsedResultConnection { edges: [ParsedResultEdge!]!, pageInfo: PageInfo!, totalCount: Int! }
  type ParsedResultEdge { node: ParsedResult!, cursor: String! }
  extend type Query {
    parseResults(fileId: ID!, responseSchema: JSONObject, status: [ItemStatus!], first: Int, after: String): ParsedResultConnection!
  }
  extend type Mutation { uploadFile(file: Upload!): UploadFilePayload! }
`);

describe('the promised names', () => {
  const wanted = Object.values(promised.getTypeMap()).filter(
    ({ name }) =>
      !name.startsWith('__') && !['String', 'Int', 'Float', 'Boolean', 'ID'].includes(name),
  );

  it.each(wanted.map((type) => [type.name, type] as const))('%s', (name, type) => {
    const real = schema.getType(name);

    expect(real?.constructor.name).toBe(type.constructor.name);
    expect(signatures(real as GraphQLNamedType)).toEqual(expect.arrayContaining(signatures(type)));
  });

  it('what is optional stays so: nothing required was added to an input or to arguments', () => {
    for (const type of wanted) {
      const real = schema.getType(type.name);
      if (isInputObjectType(real) && isInputObjectType(type)) {
        expect(required(Object.values(real.getFields()))).toEqual(
          required(Object.values(type.getFields())),
        );
        expect(real.isOneOf).toBe(type.isOneOf);
      }
      if (isObjectType(real) && isObjectType(type)) {
        for (const [name, field] of Object.entries(type.getFields())) {
          expect(required(real.getFields()[name]?.args ?? [])).toEqual(required(field.args));
        }
      }
    }
  });
});

/** `field(arg: Type = default): Type`, arguments one by one; enum values by name. */
function signatures(type: GraphQLNamedType): string[] {
  if (isEnumType(type)) return type.getValues().map(({ name }) => name);
  if (isInputObjectType(type)) return Object.values(type.getFields()).map(input);
  if (!isObjectType(type) && !isInterfaceType(type)) return [];
  return [
    ...type.getInterfaces().map(({ name }) => `implements ${name}`),
    ...Object.values(type.getFields()).flatMap(({ name, type: fieldType, args }) => [
      `${name}: ${String(fieldType)}`,
      ...args.map((argument) => `${name}(${input(argument)})`),
    ]),
  ];
}

function input({
  name,
  type,
  defaultValue,
}: Pick<GraphQLArgument, 'name' | 'type' | 'defaultValue'>): string {
  return `${name}: ${String(type)}${defaultValue === undefined ? '' : ` = ${JSON.stringify(defaultValue)}`}`;
}

function required(inputs: readonly Pick<GraphQLArgument, 'name' | 'type'>[]): string[] {
  return inputs
    .filter(({ type }) => String(type).endsWith('!'))
    .map(({ name }) => name)
    .sort();
}

interface Described {
  name: string;
  description: string | null | undefined;
}

/** A type with everything in it, by its path. */
function described(type: GraphQLNamedType): Described[] {
  const all: Described[] = [{ name: type.name, description: type.description }];
  const add = (name: string, { description }: Pick<Described, 'description'>) =>
    all.push({ name: `${type.name}.${name}`, description });
  if (isEnumType(type)) for (const value of type.getValues()) add(value.name, value);
  if (isInputObjectType(type))
    for (const field of Object.values(type.getFields())) add(field.name, field);
  if (isObjectType(type) || isInterfaceType(type)) {
    for (const field of Object.values(type.getFields())) {
      add(field.name, field);
      for (const argument of field.args) add(`${field.name}(${argument.name})`, argument);
    }
  }
  return all;
}

/** At least two words, and one that the name does not have. */
function saysMore(path: string, description: string | null | undefined): boolean {
  const words = (text: string) =>
    text
      .replace(/([a-z])([A-Z])/g, '$1 $2')
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? [];
  const inName = new Set(words(path.replace(/^.*[.(]/, '')));
  const said = words(description ?? '');
  return said.length > 1 && said.some((word) => !inName.has(word));
}
