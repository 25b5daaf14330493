import { snakeCase, toldUsage } from '../../core/usage.ts';
import type { ExportedItem } from '../../db/item-export.ts';
import type { PreparedOperation } from '../../operations/operation.ts';
import type { DecodedRow } from '../decoded-row.ts';
import { createRenamer } from './names.ts';
import type { OutputWriter } from './output.ts';
import { type RowTexts, toBytes } from './text.ts';

/** Parts of a record beside the answer; null and false leave them out. */
export interface JsonIncludes {
  input: boolean;
  /** The request that was or would be sent to the model for a row; null where nothing can be. */
  request: ((row: DecodedRow) => Readonly<Record<string, unknown>> | null) | null;
  attempts: boolean;
}

/** The form of our names: as in the routes, or as in GraphQL. */
export type JsonNames = 'snake' | 'camel';

/** The members of a record, and their names. */
export interface JsonShape {
  includes: JsonIncludes;
  names: JsonNames;
}

const memberNames = {
  snake: {
    customId: 'custom_id',
    rejectedAnswer: 'rejected_answer',
  },
  camel: {
    customId: 'customId',
    rejectedAnswer: 'rejectedAnswer',
  },
} as const satisfies Record<JsonNames, Readonly<Record<string, string>>>;

/** One record a line. */
export function jsonLinesWriter(
  rows: RowTexts,
  operation: PreparedOperation,
  shape: JsonShape & { hasTwins: boolean },
): OutputWriter {
  const { includes, hasTwins } = shape;
  const record = createRecord(rows, operation, shape);
  return {
    contentType: 'application/x-ndjson; charset=utf-8',
    columns: {
      row: includes.input || includes.request !== null || rows.idsInRows,
      usage: true,
      completedAt: false,
      rejectedAnswer: true,
      attempts: includes.attempts,
      cached: hasTwins,
    },
    head: '',
    record: (item) => `${record(item)}\n`,
    separator: '',
    tail: '',
  };
}

/** One array, a record a line. */
export function jsonWriter(
  rows: RowTexts,
  operation: PreparedOperation,
  shape: JsonShape & { hasTwins: boolean },
): OutputWriter {
  return {
    ...jsonLinesWriter(rows, operation, shape),
    contentType: 'application/json; charset=utf-8',
    head: '[\n',
    record: createRecord(rows, operation, shape),
    separator: ',\n',
    tail: '\n]\n',
  };
}

/**
 * {index, row, custom_id, status, output, error, rejected_answer, usage}, with the input also
 * content and metadata, then request; cached where the batch has identical rows; attempts last.
 * What is stored as JSON text goes out as that text, so that no number and no order of keys changes
 * on the way.
 */
function createRecord(
  rows: RowTexts,
  operation: PreparedOperation,
  { includes, names, hasTwins }: JsonShape & { hasTwins: boolean },
): (item: ExportedItem) => string {
  // In camel case they are stored.
  const rename = names === 'camel' ? (json: string) => json : createRenamer(operation);
  const { customId, rejectedAnswer } = memberNames[names];
  const usageOf = createUsage(names);
  return (item) => {
    const { index } = item;
    const input = includes.input ? `,${rows.input(item)}` : '';
    const request = includes.request
      ? `,"request":${toBytes(JSON.stringify(includes.request(rows.decode(item))))}`
      : '';
    const cached = hasTwins ? `,"cached":${item.cached}` : '';
    const attempts = includes.attempts ? `,"attempts":${item.attempts}` : '';
    return `{"index":${index},"row":${rows.row(item)},"${customId}":${JSON.stringify(rows.customId(item))},"status":"${item.status.toLowerCase()}"${input}${request},"output":${item.output === null ? 'null' : rename(item.output)},"error":${errorOf(item)},"${rejectedAnswer}":${rejectedOf(item)},"usage":${usageOf(item)}${cached}${attempts}}`;
  };
}

function errorOf({ errorCode, errorMessage }: ExportedItem): string {
  return errorCode === null ? 'null' : JSON.stringify({ code: errorCode, message: errorMessage });
}

function rejectedOf({ rejectedAnswer }: ExportedItem): string {
  return rejectedAnswer === null ? 'null' : JSON.stringify(rejectedAnswer);
}

function createUsage(names: JsonNames): (item: ExportedItem) => string {
  const members = toldUsage.map((name, at) => {
    const written = names === 'snake' ? snakeCase(name) : name;
    return { name, before: `${at === 0 ? '{' : ','}"${written}":` };
  });
  return ({ usage }) => {
    if (usage === null) return 'null';
    let text = '';
    for (const { name, before } of members) text += before + usage[name];
    return `${text}}`;
  };
}
