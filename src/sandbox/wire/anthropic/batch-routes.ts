/**
 * Anthropic's batches of messages. Source:
 * https://platform.claude.com/docs/en/build-with-claude/batch-processing.
 */
import type { IncomingMessage } from 'node:http';
import { ApiError } from '../api-error.ts';
import type { Batches, BatchOptions } from '../batch/batches.ts';
import { createJob, type Job, type Work } from '../batch/job.ts';
import { answerRow, type RowOptions } from '../batch/row.ts';
import type { Call } from '../equipment.ts';
import { type Exchange, unknownUrl } from '../exchange.ts';
import { readJson, receive } from '../incoming.ts';
import { malformedBody } from '../live.ts';
import { file, ok } from '../reply.ts';
import { readRequests } from './batch-create.ts';
import { messageBatch } from './batch-object.ts';
import { messagePage } from './page.ts';
import { resultLine, unansweredLine } from './row-line.ts';

export interface MessageBatchRoutesOptions {
  batches: Batches;
  call: Call;
  rows: RowOptions;
  limits: BatchOptions;
  /** A name for the next answer, unique in this sandbox. */
  nextId: () => string;
}

const defaultMaxRequests = 100_000;
const defaultMaxBytes = 256 * 1024 * 1024;

export function createMessageBatchRoutes({
  batches,
  call,
  rows,
  limits,
  nextId,
}: MessageBatchRoutesOptions) {
  const { store } = batches;
  const { equipment } = rows;
  const { maxRequests = defaultMaxRequests, maxBytes = defaultMaxBytes } = limits;

  function found(id: string): Job {
    const job = batches.find(id, 'anthropic');
    if (job) return job;
    throw new ApiError(`No message batch found with id '${id}'`, { status: 404 });
  }

  function create(body: unknown, { headers }: IncomingMessage): Job {
    const input = readRequests(body, maxRequests);
    const number = batches.nextNumber;
    const id = `msgbatch_${number.toString(36).padStart(24, '0')}`;
    const kept = store.add({
      owner: 'anthropic',
      filename: `${id}_input.jsonl`,
      purpose: 'input',
      content: input.rows,
      lifetime: null,
    });
    const work: Work = {
      read: () => ({ ...input, model: null }),
      fate: (rowsOf) =>
        equipment?.batch({ provider: 'anthropic', id, metadata: null, number, ...rowsOf }) ?? null,
      answer(row, index, fate) {
        const { custom_id: customId, params } = JSON.parse(row.toString('utf8'));
        const outcome = answerRow(rows, { body: params, headers, batchId: id, index, fate });
        return resultLine(outcome, customId, `req_${nextId()}`);
      },
      unanswered: (row, _index, why) => ({
        line: unansweredLine(why, JSON.parse(row.toString('utf8')).custom_id),
        file: 'output',
      }),
      keep(_kind, content) {
        // Nobody can ask for the input again.
        store.delete(kept.id, 'anthropic');
        const filename = `${id}_results.jsonl`;
        return store.addResult({
          owner: 'anthropic',
          filename,
          purpose: 'results',
          content,
          lifetime: null,
        }).id;
      },
    };
    const job = createJob({
      id,
      provider: 'anthropic',
      inputFileId: kept.id,
      metadata: null,
      seed: number,
      work,
    });
    // The rows are known already: what OpenAI's batches do in validation has been done.
    job.step();
    if (job.problems) {
      store.delete(kept.id, 'anthropic');
      throw new ApiError(job.problems[0]?.message ?? 'The batch was refused.');
    }
    batches.add(job);
    return job;
  }

  function cancel(id: string): Job {
    const job = found(id);
    if (job.cancel()) return job;
    throw new ApiError(`Message batch '${id}' cannot be canceled: its processing has ended.`);
  }

  function remove(id: string): object {
    const job = found(id);
    if (!job.ended)
      throw new ApiError(
        `Message batch '${id}' is still processing. Cancel it and wait for its end before deleting it.`,
      );
    batches.remove(job);
    if (job.files.output) store.delete(job.files.output, 'anthropic');
    return { id, type: 'message_batch_deleted' };
  }

  function results(id: string): readonly Buffer[] {
    const job = found(id);
    if (!job.ended)
      throw new ApiError(`Message batch '${id}' has no results yet.`, { status: 404 });
    if (job.files.output === undefined) return [];
    const stored = store.get(job.files.output, 'anthropic');
    if (stored) return stored.content;
    throw new ApiError(`The results of message batch '${id}' are no longer kept.`, { status: 404 });
  }

  function createFrom(bytes: Buffer, exchange: Exchange): void {
    const { body, malformed } = readJson(bytes.toString('utf8'));
    call(exchange, { operation: 'create', body, bytes: bytes.length }, () => {
      if (malformed) throw malformedBody();
      return ok(exchange, shown(create(body, exchange.request), exchange));
    });
  }

  return (exchange: Exchange): void => {
    const { request, path, query } = exchange;
    const [id, action, more] = path.split('/').slice(4);
    if (more !== undefined || id === '') throw unknownUrl(exchange);
    const route = `${request.method}${id === undefined ? '' : ' id'}${action === undefined ? '' : ` ${action}`}`;
    if (id === undefined) {
      if (route === 'POST') receive(exchange, maxBytes, (bytes) => createFrom(bytes, exchange));
      else if (route === 'GET')
        call(exchange, { operation: 'list' }, () => {
          const all = batches.list('anthropic').map((job) => shown(job, exchange));
          return ok(exchange, messagePage(all, query));
        });
      else throw unknownUrl(exchange);
    } else if (route === 'GET id')
      call(exchange, { operation: 'retrieve', id }, () =>
        ok(exchange, shown(found(id), exchange, true)),
      );
    else if (route === 'GET id results')
      call(exchange, { operation: 'download', id }, () =>
        file(exchange, 'application/x-jsonl', results(id)),
      );
    else if (route === 'POST id cancel')
      call(exchange, { operation: 'cancel', id }, () => ok(exchange, shown(cancel(id), exchange)));
    else if (route === 'DELETE id')
      call(exchange, { operation: 'delete', id }, () => ok(exchange, remove(id)));
    else throw unknownUrl(exchange);
  };
}

function shown(job: Job, { request }: Exchange, isRetrieved = false) {
  const resultsUrl = `http://${request.headers.host}/v1/messages/batches/${job.id}/results`;
  const batch = messageBatch(job, resultsUrl);
  return job.fate?.shown?.(batch, isRetrieved) ?? batch;
}
