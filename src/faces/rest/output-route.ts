import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AskedAnswers, answerFilterOf, maxLabels } from '../../app/answer-filter.ts';
import { needContent } from '../../app/need-content.ts';
import { BadUserInput } from '../../core/errors.ts';
import { isId } from '../../core/ids.ts';
import { textProblem } from '../../core/text.ts';
import type { AnswerFilter } from '../../db/answer-filter.ts';
import { type BatchRecord, readBatch, readBatchById } from '../../db/batches.ts';
import type { Database } from '../../db/driver/client.ts';
import type { RequestAccess } from '../../db/driver/request-line.ts';
import type { ItemStatus } from '../../db/item-filter.ts';
import { toDelimiter } from '../../files/write/cells.ts';
import type { CsvOptions } from '../../files/write/csv.ts';
import type { JsonIncludes, JsonNames } from '../../files/write/json.ts';
import {
  type OutputFormat,
  type OutputRequest,
  outputFormats,
  outputWriter,
  writeOutput,
} from '../../files/write/output.ts';
import type { PreparedOperation } from '../../operations/operation.ts';
import { badInput, RouteError } from '../http/route-error.ts';
import { sendBytes } from '../http/send-bytes.ts';
import { isLink, type SignedLinks } from '../http/signed-link.ts';

const statuses = new Map<string, ItemStatus>(
  (['PENDING', 'PROCESSING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED'] as const).map(
    (status) => [status.toLowerCase(), status],
  ),
);
const knownParameters = [
  'format',
  'status',
  'include',
  'formulas',
  'bom',
  'delimiter',
  'after',
  'names',
  'label',
  'confidence_below',
  'confidence_from',
];
/** All others are given once at most. */
const repeatable = ['label'];
const linkParameters = ['expires', 'signature'];

/** The request that was or would be sent to the model for a row of a batch. */
type RequestOf = (batch: BatchRecord) => NonNullable<JsonIncludes['request']>;

export interface OutputRoute {
  request: IncomingMessage;
  response: ServerResponse;
  accessOf: (owner: string) => RequestAccess;
  links: SignedLinks;
  operationOf: (batch: BatchRecord) => PreparedOperation;
  bodyFor: RequestOf;
  /** Who asks, by the key; throws without one. Not asked of those who come by a link. */
  ownerOf: () => Promise<string>;
  batchId: string;
  query: URLSearchParams;
}

/** `GET /batches/{id}/output`: streamed in input order, at the reader's pace, at any time. */
export async function answerOutput(route: OutputRoute): Promise<void> {
  const { request, response, accessOf, links, operationOf, bodyFor, batchId, query } = route;
  const byLink = isLink(query);
  const owner = byLink ? null : await route.ownerOf();
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    throw new RouteError(405, 'METHOD_NOT_ALLOWED', 'The output can only be read: GET');
  }
  if (byLink) {
    checkOnce(query);
    links.check(batchId, query);
  }
  const batch = await findBatch(accessOf(owner ?? '').db, owner, batchId);
  if (!batch) throw new RouteError(404, 'NOT_FOUND', 'There is no batch with this id');
  const { includes, names, csv, asked, ...wanted } = readQuery(query);
  needContent(batch, 'an output');
  const answers = answersOf(batch, asked);
  const access = accessOf(batch.owner);
  const writer = await outputWriter(access.db, batch, {
    operation: operationOf(batch),
    format: wanted.format,
    json: {
      includes: {
        input: includes.has('input'),
        request: includes.has('request') ? bodyFor(batch) : null,
        attempts: includes.has('attempts'),
      },
      names,
    },
    csv: { ...csv, includeRow: includes.has('row') },
  });
  response.writeHead(200, {
    'content-type': writer.contentType,
    'content-disposition': `attachment; filename="${batch.id}.${extension(wanted.format)}"`,
    'cache-control': byLink ? 'private, no-store' : 'no-store',
    'x-content-type-options': 'nosniff',
    // The link would let in everybody who is told of it.
    ...(byLink ? { 'referrer-policy': 'no-referrer' } : {}),
  });
  if (request.method === 'HEAD') response.end();
  else await sendBytes(response, writeOutput(access, batch, writer, { ...wanted, answers }));
}

function answersOf(batch: BatchRecord, asked: AskedAnswers): AnswerFilter | undefined {
  try {
    return answerFilterOf(batch, asked, 'label');
  } catch (error) {
    if (!(error instanceof BadUserInput)) throw error;
    throw badInput(error.issues.map(({ path, message }) => `${path} ${message}`).join('; '));
  }
}

/** A null owner has been let in by a link. */
async function findBatch(
  db: Database,
  owner: string | null,
  id: string,
): Promise<BatchRecord | null> {
  if (!isId('batch', id)) return null;
  return owner === null ? await readBatchById(db, id) : await readBatch(db, owner, id);
}

/** `openai_jsonl` and `anthropic_jsonl` are JSONL to the programs that open them. */
function extension(format: OutputFormat): string {
  return format.endsWith('_jsonl') ? 'jsonl' : format;
}

function checkOnce(query: URLSearchParams): void {
  for (const name of new Set(query.keys())) {
    if (!knownParameters.includes(name) && !linkParameters.includes(name)) {
      throw badInput(`Unknown parameter ${name}. Allowed: ${knownParameters.join(', ')}`);
    }
    if (query.getAll(name).length > 1 && !repeatable.includes(name))
      throw badInput(`${name} is given more than once`);
  }
}

interface OutputQuery extends OutputRequest {
  includes: ReadonlySet<string>;
  names: JsonNames;
  csv: Omit<CsvOptions, 'includeRow'>;
  asked: AskedAnswers;
}

function readQuery(query: URLSearchParams): OutputQuery {
  checkOnce(query);
  const format = query.get('format') ?? 'jsonl';
  if (!isFormat(format)) throw badInput(`format must be one of ${outputFormats.join(', ')}`);
  const includes = toIncludes(query.get('include'));
  if (includes.has('request') && format !== 'json' && format !== 'jsonl') {
    throw badInput('format must be json or jsonl for include=request');
  }
  const names = query.get('names') ?? 'snake';
  if (names !== 'snake' && names !== 'camel') throw badInput('names must be snake or camel');
  if (names === 'camel' && format !== 'json' && format !== 'jsonl') {
    throw badInput('format must be json or jsonl for names=camel');
  }
  const formulas = query.get('formulas') ?? 'defuse';
  if (formulas !== 'defuse' && formulas !== 'keep')
    throw badInput('formulas must be defuse or keep');
  const bom = query.get('bom') ?? 'false';
  if (bom !== 'true' && bom !== 'false') throw badInput('bom must be true or false');
  const delimiter = toDelimiter(query.get('delimiter') ?? ',');
  if (!delimiter) throw badInput('delimiter must be one of , ; | and tab');
  const ofCsv = [
    ...(formulas === 'keep' ? ['formulas'] : []),
    ...(bom === 'true' ? ['bom'] : []),
    ...(delimiter === ',' ? [] : ['delimiter']),
  ];
  if (ofCsv[0] && format !== 'csv') throw badInput(`format must be csv for ${ofCsv[0]}`);
  const after = query.get('after') ?? '-1';
  if (!/^(-1|0|[1-9][0-9]{0,8})$/.test(after)) throw badInput('after must be the index of an item');
  return {
    format,
    status: query.get('status')?.split(',').map(toStatus),
    includes,
    names,
    // What is put behind an earlier part has no beginning.
    csv: { keepFormulas: formulas === 'keep', bom: bom === 'true' && after === '-1', delimiter },
    afterIndex: Number(after),
    asked: {
      labels: query.has('label') ? toLabels(query.getAll('label')) : null,
      confidenceBelow: toConfidence(query, 'confidence_below'),
      confidenceFrom: toConfidence(query, 'confidence_from'),
    },
  };
}

function toLabels(labels: string[]): string[] {
  if (labels.length > maxLabels) {
    throw badInput(`label must be given at most ${maxLabels.toLocaleString('en')} times`);
  }
  const problem = labels.map(textProblem).find((found) => found !== null);
  if (problem) throw badInput(`label ${problem}`);
  return labels;
}

function toConfidence(query: URLSearchParams, name: string): number | null {
  const given = query.get(name);
  if (given === null) return null;
  const confidence = given.trim() === '' ? Number.NaN : Number(given);
  if (!(confidence >= 0 && confidence <= 1)) throw badInput(`${name} must be between 0 and 1`);
  return confidence;
}

const knownIncludes: ReadonlySet<string> = new Set(['input', 'request', 'row', 'attempts']);

function toIncludes(list: string | null): ReadonlySet<string> {
  const includes = new Set(list?.split(',').map((name) => name.trim()));
  for (const name of includes) {
    if (!knownIncludes.has(name)) {
      throw badInput(`include is a comma-separated list of ${[...knownIncludes].join(', ')}`);
    }
  }
  return includes;
}

function isFormat(format: string): format is OutputFormat {
  return (outputFormats as readonly string[]).includes(format);
}

function toStatus(name: string): ItemStatus {
  const status = statuses.get(name.trim());
  if (!status)
    throw badInput(`status is a comma-separated list of ${[...statuses.keys()].join(', ')}`);
  return status;
}
