import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import RelayPlugin from '@pothos/plugin-relay';
import ZodPlugin from '@pothos/plugin-zod';
import { type GraphQLError, Kind, type ValueNode } from 'graphql';
import { AppError, type ItemError } from '../../core/errors.ts';
import { parseItemId } from '../../core/ids.ts';
import { isRecord } from '../../core/json.ts';
import type { BatchRecord } from '../../db/batches.ts';
import type { FileRecord } from '../../db/files.ts';
import type { Context } from './context.ts';
import { costLimits, tooCostly } from './cost.ts';
import { presentError, presentZodError } from './errors.ts';
import { UploadedPart } from './multipart.ts';
import { pageArgOptions } from './page.ts';
import type { ShownUsage } from './usage.ts';

export const builder = new SchemaBuilder<{
  Context: Context;
  DefaultFieldNullability: false;
  DefaultEdgesNullability: { list: false; items: false };
  DefaultNodeNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    JSON: { Input: unknown; Output: unknown };
    JSONObject: { Input: Record<string, unknown>; Output: unknown };
    SafeInt: { Input: number; Output: number };
    Upload: { Input: UploadedPart; Output: never };
  };
  Objects: {
    Batch: BatchRecord;
    File: FileRecord;
    ItemError: ItemError;
    Usage: ShownUsage;
  };
}>({
  plugins: [RelayPlugin, ComplexityPlugin, ZodPlugin],
  defaultFieldNullability: false,
  relay: {
    // Ids carry their kind already, and are the same in GraphQL, routes and webhooks.
    encodeGlobalID: (_typename, id) => String(id),
    decodeGlobalID: (id) => ({
      typename: parseItemId(id) ? 'BatchItem' : id.startsWith('file_') ? 'File' : 'Batch',
      id,
    }),
    cursorType: 'String',
    idFieldOptions: { description: 'Id by which the object can be read.' },
    edgesFieldOptions: {
      nullable: { list: false, items: false },
      description: 'Entries of the page, in the order of the list.',
      // The connection above it has the page's size as its multiplier already.
      complexity: { field: 1, multiplier: 1 },
    },
    nodeFieldOptions: { nullable: false, description: 'The entry itself.' },
    cursorFieldOptions: {
      description: 'Cursor of the entry, for the arguments after and before.',
    },
    pageInfoFieldOptions: { description: 'Position of the page in the whole list.' },
    hasNextPageFieldOptions: { description: 'True when entries follow this page.' },
    hasPreviousPageFieldOptions: { description: 'True when entries precede this page.' },
    startCursorFieldOptions: { description: 'Cursor of the first entry. Null on an empty page.' },
    endCursorFieldOptions: { description: 'Cursor of the last entry. Null on an empty page.' },
    ...pageArgOptions,
    nodeQueryOptions: {
      description: 'A batch, an item or a file by its id. Null for an unknown id.',
      args: { id: { description: 'Id of the object, as returned by any field `id`.' } },
    },
    nodesQueryOptions: false,
    nodeTypeOptions: { description: 'An object that can be read by its id.' },
    pageInfoTypeOptions: {
      description: 'Position of a page in its list, with the cursors of its first and last entry.',
    },
  },
  complexity: {
    defaultComplexity: 1,
    defaultListMultiplier: 10,
    limit: costLimits,
    complexityError: (_kind, cost, { path }) => tooCostly(cost, String(path.key)),
  },
  zod: { validationError: presentZodError },
});

/** The builder's type parameters, for what names them. */
export type Types = typeof builder extends PothosSchemaTypes.SchemaBuilder<infer T> ? T : never;

builder.queryType({
  description: 'Reads of batches, items, files and the server. An unknown id gives null.',
});
builder.mutationType({
  description: 'Calls that run an operation at once, and calls that submit and control batches.',
});
builder.subscriptionType({
  description:
    'Live updates over WebSocket (graphql-transport-ws) or server-sent events, at the same URL.',
});

builder.scalarType('DateTime', {
  description: 'An instant in UTC as ISO 8601, such as 2026-11-20T12:00:00.000Z.',
  serialize: (value) => value.toISOString(),
  parseValue: toInstant,
});
builder.scalarType('JSON', {
  description: 'Any JSON value.',
  serialize: (value) => value,
  parseValue: (value) => {
    if (value instanceof UploadedPart) throw new TypeError('must be JSON, not a file');
    return value;
  },
  parseLiteral: (node, variables) => literalToJson(node, variables ?? {}),
});
builder.scalarType('JSONObject', {
  description: 'A JSON object: string keys, any JSON values.',
  serialize: (value) => value,
  parseValue: (value) => asObject(value),
  parseLiteral: (node, variables) => asObject(literalToJson(node, variables ?? {})),
});
builder.scalarType('SafeInt', {
  description: 'A whole number up to 2^53 - 1, since sums of tokens exceed Int.',
  serialize: (value) => value,
  parseValue: (value) => {
    if (!Number.isSafeInteger(value)) throw new TypeError('must be a whole number below 2^53');
    return value as number;
  },
});

/**
 * An instant with its offset, on a day that exists, in a year that the database can write. Throws
 * plain errors, to which GraphQL adds a place.
 */
function toInstant(value: unknown): Date {
  const [, year, month, day] =
    typeof value === 'string'
      ? (/^(\d{4})-(\d\d)-(\d\d)T.*(?:Z|[+-]\d\d:\d\d)$/.exec(value) ?? [])
      : [];
  const instant = new Date(String(value));
  const utcYear = instant.getUTCFullYear();
  const exists =
    new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day);
  if (!year || !exists || !(utcYear >= 1 && utcYear <= 9_999)) {
    throw new TypeError('must be an ISO 8601 instant such as "2026-11-20T12:00:00Z"');
  }
  return instant;
}

function asObject(value: unknown): Record<string, unknown> {
  if (!isRecord(value) || value instanceof UploadedPart) {
    throw new TypeError('must be a JSON object');
  }
  return value;
}

function literalToJson(node: ValueNode, variables: Record<string, unknown>): unknown {
  switch (node.kind) {
    case Kind.VARIABLE:
      return variables[node.name.value] ?? null;
    case Kind.INT:
    case Kind.FLOAT: {
      const number = Number(node.value);
      // JSON has no infinity; it would become null.
      if (!Number.isFinite(number))
        throw new TypeError('must not contain a number beyond the range of JSON numbers');
      return number;
    }
    case Kind.STRING:
    case Kind.BOOLEAN:
    case Kind.ENUM:
      return node.value;
    case Kind.NULL:
      return null;
    case Kind.LIST:
      return node.values.map((value) => literalToJson(value, variables));
    case Kind.OBJECT:
      // Entries, not assignment: a key named __proto__ is data.
      return Object.fromEntries(
        node.fields.map(({ name, value }) => [name.value, literalToJson(value, variables)]),
      );
  }
}

/** Error for an id that is malformed, unknown, deleted or another owner's. */
export function notFound(what: string): GraphQLError {
  return presentError(new AppError('NOT_FOUND', `There is no ${what} with this id`));
}

/** Payload of a mutation that deletes a `what` and returns its id as `deletedId`. */
export function deletedPayload(name: string, what: string) {
  return builder.objectRef<{ deletedId: string }>(name).implement({
    description: `The deleted ${what}.`,
    fields: (t) => ({
      deletedId: t.exposeID('deletedId', { description: `Id of the deleted ${what}.` }),
    }),
  });
}
