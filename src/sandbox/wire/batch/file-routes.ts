/** OpenAI's Files API. Source: https://platform.openai.com/docs/api-reference/files. */
import { ApiError, missingParameter } from '../api-error.ts';
import type { Call } from '../equipment.ts';
import { type Exchange, unknownUrl } from '../exchange.ts';
import { receive } from '../incoming.ts';
import { file as fileReply, ok } from '../reply.ts';
import type { Batches } from './batches.ts';
import type { StoredFile } from './file-store.ts';
import { readMultipart } from './multipart.ts';
import { cursorPage } from './page.ts';

/**
 * OpenAI takes 512 MB; here a file is kept in memory, and a client that meets the limit sends
 * smaller ones.
 */
const maxUploadBytes = 100 * 1024 * 1024;
const maxListed = 10_000;
const thirtyDaysSeconds = 30 * 24 * 60 * 60;
const hourSeconds = 60 * 60;
const purposes = ['assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals'];

export function createFileRoutes({ batches, call }: { batches: Batches; call: Call }) {
  const { store } = batches;

  function found(id: string): StoredFile {
    const stored = store.get(id, 'openai');
    if (stored) return stored;
    throw new ApiError(`No such File object: ${id}`, { status: 404, param: 'id' });
  }

  function upload(body: Buffer, contentType: string | undefined): StoredFile {
    const parts = readMultipart(body, contentType);
    const field = (name: string) => parts.find((part) => part.name === name)?.content.toString();
    const file = parts.find(({ name }) => name === 'file');
    if (!file) throw missingParameter('file');
    const purpose = field('purpose');
    if (purpose === undefined) throw missingParameter('purpose');
    if (!purposes.includes(purpose))
      throw new ApiError(
        `'${purpose}' is not one of [${purposes.map((one) => `'${one}'`).join(', ')}] - 'purpose'`,
      );
    const filename = file.filename ?? 'file';
    if (purpose === 'batch' && !filename.endsWith('.jsonl'))
      throw new ApiError('Invalid file format for Batch API. Must be .jsonl');
    if (file.content.length === 0) throw new ApiError('File is empty.');
    const seconds = field('expires_after[seconds]');
    const lifetime = purpose === 'batch' ? thirtyDaysSeconds : null;
    const stored = store.add({
      owner: 'openai',
      filename,
      purpose,
      content: [file.content],
      lifetime: seconds === undefined ? lifetime : readLifetime(Number(seconds), 'expires_after'),
    });
    batches.uploaded();
    return stored;
  }

  function list(exchange: Exchange): object {
    const { query } = exchange;
    const purpose = query.get('purpose');
    const files = store
      .list('openai')
      .filter((stored) => purpose === null || stored.purpose === purpose);
    if (query.get('order') !== 'asc') files.reverse();
    return cursorPage(files.map(fileObject), query, { usual: maxListed, most: maxListed });
  }

  return (exchange: Exchange): void => {
    const { request, path } = exchange;
    const [, , , id, rest, more] = path.split('/');
    const route = `${request.method} ${id === undefined ? '' : 'id'}${rest === undefined ? '' : `/${rest}`}`;
    if (more !== undefined || id === '') throw unknownUrl(exchange);
    if (id === undefined) {
      if (route === 'POST ')
        receive(exchange, maxUploadBytes, (body) =>
          call(exchange, { operation: 'upload', bytes: body.length }, () =>
            ok(exchange, fileObject(upload(body, request.headers['content-type']))),
          ),
        );
      else if (route === 'GET ')
        call(exchange, { operation: 'list_files' }, () => ok(exchange, list(exchange)));
      else throw unknownUrl(exchange);
    } else if (route === 'GET id') {
      call(exchange, { operation: 'retrieve_file', id }, () => ok(exchange, fileObject(found(id))));
    } else if (route === 'GET id/content') {
      call(exchange, { operation: 'download', id }, () =>
        fileReply(exchange, 'application/octet-stream', found(id).content),
      );
    } else if (route === 'DELETE id') {
      call(exchange, { operation: 'delete_file', id }, () => {
        store.delete(found(id).id, 'openai');
        return ok(exchange, { object: 'file', id, deleted: true });
      });
    } else throw unknownUrl(exchange);
  };
}

/** Seconds after which a file expires, as a client may state them: an hour to 30 days. */
export function readLifetime(seconds: unknown, param: string): number {
  if (Number.isInteger(seconds)) {
    const stated = seconds as number;
    if (stated >= hourSeconds && stated <= thirtyDaysSeconds) return stated;
  }
  throw new ApiError(
    `Invalid '${param}.seconds': expected an integer from ${hourSeconds} to ${thirtyDaysSeconds}.`,
    { param: `${param}.seconds`, code: 'invalid_value' },
  );
}

function fileObject({ id, bytes, createdAt, expiresAt, filename, purpose }: StoredFile) {
  return {
    object: 'file' as const,
    id,
    purpose,
    filename,
    bytes,
    created_at: createdAt,
    expires_at: expiresAt,
    status: 'processed',
    status_details: null,
  };
}
