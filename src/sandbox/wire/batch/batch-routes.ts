/** OpenAI's Batch API. Source: https://platform.openai.com/docs/api-reference/batch. */
import type { IncomingMessage } from 'node:http';
import { isObject } from '../../rules/json-schema.ts';
import { ApiError } from '../api-error.ts';
import type { Call } from '../equipment.ts';
import { type Exchange, unknownUrl } from '../exchange.ts';
import { maxJsonBytes, readJson, receive } from '../incoming.ts';
import { malformedBody } from '../live.ts';
import { ok } from '../reply.ts';
import { batchObject } from './batch-object.ts';
import type { Batches, BatchOptions } from './batches.ts';
import { readLifetime } from './file-routes.ts';
import { createInputReader, type InputReader } from './input.ts';
import { createJob, type Job, type Work } from './job.ts';
import { readMetadata } from './metadata.ts';
import { cursorPage } from './page.ts';
import { answerRow, type RowOptions } from './row.ts';
import { resultLine, unansweredLine } from './row-line.ts';

export interface BatchRoutesOptions {
  batches: Batches;
  call: Call;
  rows: RowOptions;
  models: readonly string[];
  limits: BatchOptions;
  /** A name for the next answer, unique in this sandbox. */
  nextId: () => string;
}

const chatEndpoint = '/v1/chat/completions';
const defaultMaxRequests = 50_000;
const defaultMaxBytes = 200 * 1024 * 1024;
const pageSizes = { usual: 20, most: 100 };

export function createBatchRoutes({
  batches,
  call,
  rows,
  models,
  limits,
  nextId,
}: BatchRoutesOptions) {
  const { store } = batches;
  const { equipment } = rows;
  const { maxRequests = defaultMaxRequests, maxBytes = defaultMaxBytes } = limits;

  function found(id: string): Job {
    const job = batches.find(id, 'openai');
    if (job) return job;
    throw new ApiError(`No batch found with id '${id}'.`, { status: 404 });
  }

  /** Whatever is wrong with the file is said by the batch, not by the call that creates it. */
  function readerOf(fileId: string): InputReader {
    const file = store.get(fileId, 'openai');
    const content = file?.content[0];
    if (file?.purpose === 'batch' && content)
      return createInputReader(content, { endpoint: chatEndpoint, models, maxRequests, maxBytes });
    const message = file
      ? `The file '${fileId}' has the purpose '${file.purpose}', a batch needs one with the purpose 'batch'.`
      : `The file '${fileId}' cannot be found or accessed.`;
    const problem = { code: 'invalid_input_file', line: null, message, param: 'input_file_id' };
    return () => ({ problems: [problem] });
  }

  function create(body: unknown, { headers }: IncomingMessage): Job {
    const { inputFileId, metadata, lifetime } = readCreate(body);
    const number = batches.nextNumber;
    const id = `batch_${number.toString(16).padStart(32, '0')}`;
    const work: Work = {
      read: readerOf(inputFileId),
      fate: (input) =>
        equipment?.batch({ provider: 'openai', id, metadata, number, ...input }) ?? null,
      answer(row, index, fate) {
        const { custom_id: customId, body: asked } = JSON.parse(row.toString('utf8'));
        const outcome = answerRow(rows, { body: asked, headers, batchId: id, index, fate });
        return resultLine(outcome, customId, nextId());
      },
      unanswered: (row, _index, why) => ({
        line: unansweredLine(why, JSON.parse(row.toString('utf8')).custom_id, nextId()),
        file: 'error',
      }),
      keep: (kind, content) =>
        store.addResult({
          owner: 'openai',
          filename: `${id}_${kind}.jsonl`,
          purpose: 'batch_output',
          content,
          lifetime,
        }).id,
    };
    const job = createJob({
      id,
      provider: 'openai',
      inputFileId,
      metadata,
      seed: number,
      work,
    });
    batches.add(job);
    return job;
  }

  function cancel(id: string): Job {
    const job = found(id);
    if (job.cancel()) return job;
    throw new ApiError(`Cannot cancel a batch with status '${job.stage}'.`, { status: 409 });
  }

  return (exchange: Exchange): void => {
    const { request, path, query } = exchange;
    const { method } = request;
    const [, , , id, action, more] = path.split('/');
    if (more !== undefined || id === '') throw unknownUrl(exchange);
    if (id === undefined && method === 'POST')
      receive(exchange, maxJsonBytes, (bytes) => {
        const { body, malformed } = readJson(bytes.toString('utf8'));
        call(exchange, { operation: 'create', body, bytes: bytes.length }, () => {
          if (malformed) throw malformedBody();
          return ok(exchange, shown(create(body, request)));
        });
      });
    else if (id === undefined && method === 'GET')
      call(exchange, { operation: 'list' }, () => {
        const all = batches.list('openai').map((job) => shown(job));
        return ok(exchange, cursorPage(all, query, pageSizes));
      });
    else if (id !== undefined && action === undefined && method === 'GET')
      call(exchange, { operation: 'retrieve', id }, () => ok(exchange, shown(found(id), true)));
    else if (id !== undefined && action === 'cancel' && method === 'POST')
      call(exchange, { operation: 'cancel', id }, () => ok(exchange, shown(cancel(id))));
    else throw unknownUrl(exchange);
  };
}

function shown(job: Job, isRetrieved = false) {
  const batch = batchObject(job, chatEndpoint);
  return job.fate?.shown?.(batch, isRetrieved) ?? batch;
}

function readCreate(body: unknown) {
  if (!isObject(body))
    throw new ApiError("Invalid type for 'body': expected an object.", { code: 'invalid_type' });
  for (const param of ['input_file_id', 'endpoint', 'completion_window']) {
    if (body[param] === undefined)
      throw new ApiError(`Missing required parameter: '${param}'.`, {
        param,
        code: 'missing_required_parameter',
      });
  }
  const { input_file_id: inputFileId, endpoint, completion_window: completionWindow } = body;
  if (typeof inputFileId !== 'string') throw invalid('input_file_id', 'a string');
  if (endpoint !== chatEndpoint) throw invalid('endpoint', `'${chatEndpoint}'`);
  if (completionWindow !== '24h') throw invalid('completion_window', "'24h'");
  const expiry = body.output_expires_after;
  if (expiry !== undefined && (!isObject(expiry) || expiry.anchor !== 'created_at'))
    throw invalid('output_expires_after.anchor', "'created_at'");
  return {
    inputFileId,
    metadata: readMetadata(body.metadata),
    lifetime: isObject(expiry) ? readLifetime(expiry.seconds, 'output_expires_after') : null,
  };
}

function invalid(param: string, expected: string): ApiError {
  return new ApiError(`Invalid value for '${param}': expected ${expected}.`, {
    param,
    code: 'invalid_value',
  });
}
