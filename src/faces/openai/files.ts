/** Files of OpenAI's API: uploads, and the outputs of batches, which are files there too. */
import type { Caller } from '../../app/caller.ts';
import { textProblem } from '../../core/text.ts';
import { readBatch } from '../../db/batches.ts';
import type { RequestAccess, RequestLine } from '../../db/driver/request-line.ts';
import { findPlace, type ListedFile, listFilesAndOutputs } from '../../db/file-list.ts';
import { hideFile, readFile } from '../../db/files.ts';
import { deleteOutput, hasOutput } from '../../db/output-files.ts';
import { type ApiRoute, sendJson } from '../http/api-routes.ts';
import { RouteError } from '../http/route-error.ts';
import { whenGone } from '../http/when-gone.ts';
import { badField } from './bad-field.ts';
import { sendFile, sendOutput } from './file-content.ts';
import { describeFile, describeListed, describeOutput, parseFileId } from './file-object.ts';
import { receiveFile } from './file-upload.ts';
import { createOutputLengths } from './output-lengths.ts';
import { queryNumber } from './query-number.ts';

export const maxListedFiles = 10_000;

interface FileServices extends Pick<Caller, 'events' | 'limitsOf'> {
  line: RequestLine;
}

interface FileAccess extends RequestAccess {
  owner: string;
}

export function fileRoutes({ line, events, limitsOf }: FileServices): ApiRoute[] {
  const lengths = createOutputLengths();
  const accessOf = (owner: string): FileAccess => ({ ...line.of(owner), owner });

  async function describeAny(access: FileAccess, id: string, signal: AbortSignal): Promise<object> {
    const { db, owner } = access;
    const named = parseFileId(id);
    if (named?.kind === 'input') {
      const file = await readFile(db, owner, named.id);
      if (file) return describeFile(file);
    } else if (named) {
      const batch = await readBatch(db, owner, named.id);
      if (batch && hasOutput(batch, named.kind)) {
        const bytes = await lengths.of(access, batch, signal);
        return describeOutput(batch, named.kind, bytes[named.kind]);
      }
    }
    throw unknownFile();
  }

  async function bytesOf(
    access: FileAccess,
    { kind, id, bytes }: ListedFile,
    signal: AbortSignal,
  ): Promise<number> {
    if (bytes !== null || kind === 'input') return bytes ?? 0;
    const batch = await readBatch(access.db, access.owner, id);
    return batch?.completedAt ? (await lengths.of(access, batch, signal))[kind] : 0;
  }

  return [
    {
      path: /^\/v1\/files$/,
      methods: {
        async POST({ request, response, owner }) {
          const file = await receiveFile(request, {
            access: line.of(owner),
            owner,
            ownerLimits: limitsOf(owner),
            events,
            isGone: () => response.destroyed,
          });
          sendJson(response, describeFile(file));
        },
        async GET({ response, owner, url }) {
          const access = accessOf(owner);
          const { limit, ...page } = await readPage(access, url.searchParams);
          const { sql } = access.db;
          const found = await listFilesAndOutputs(sql, owner, { ...page, limit: limit + 1 });
          const data = [];
          const signal = whenGone(response);
          for (const entry of found.slice(0, limit)) {
            data.push(describeListed(entry, await bytesOf(access, entry, signal)));
          }
          sendJson(response, {
            object: 'list',
            data,
            first_id: data[0]?.id ?? null,
            last_id: data.at(-1)?.id ?? null,
            has_more: found.length > limit,
          });
        },
      },
    },
    {
      path: /^\/v1\/files\/([^/]+)$/,
      methods: {
        async GET({ response, owner, params: [id = ''] }) {
          sendJson(response, await describeAny(accessOf(owner), id, whenGone(response)));
        },
        async DELETE({ response, owner, params: [id = ''] }) {
          if (!(await deleteAny(accessOf(owner), id))) throw unknownFile();
          sendJson(response, { id, object: 'file', deleted: true });
        },
      },
    },
    {
      path: /^\/v1\/files\/([^/]+)\/content$/,
      methods: {
        async GET({ response, owner, url, params: [id = ''] }) {
          const access = line.of(owner);
          const { db } = access;
          const offset = queryNumber(url.searchParams, 'offset', { min: 0, max: 999_999_999 }) ?? 0;
          const named = parseFileId(id);
          if (named?.kind === 'input') {
            const file = await readFile(db, owner, named.id);
            if (file) return await sendFile(response, { access, file, offset });
          } else if (named) {
            const { kind } = named;
            const batch = await readBatch(db, owner, named.id);
            if (batch && (await sendOutput(response, { access, batch, kind, offset }))) return;
          }
          throw unknownFile();
        },
      },
    },
  ];
}

async function deleteAny({ db, owner }: FileAccess, id: string): Promise<boolean> {
  const named = parseFileId(id);
  if (!named) return false;
  if (named.kind === 'input') return await hideFile(db, owner, named.id);
  return await deleteOutput(db, owner, { batchId: named.id, kind: named.kind });
}

async function readPage({ db, owner }: FileAccess, query: URLSearchParams) {
  const limit = queryNumber(query, 'limit', { min: 1, max: maxListedFiles }) ?? maxListedFiles;
  const order = query.get('order') ?? 'desc';
  if (order !== 'asc' && order !== 'desc') throw badField('order', 'order must be asc or desc');
  const afterId = query.get('after');
  const named = afterId === null ? null : parseFileId(afterId);
  const after = named && (await findPlace(db.sql, owner, named));
  if (afterId !== null && !after) throw badField('after', 'after must be the id of a file');
  const purpose = query.get('purpose');
  const problem = purpose === null ? null : textProblem(purpose);
  if (problem !== null) throw badField('purpose', `purpose ${problem}`);
  return { limit, purpose, after, ascending: order === 'asc' };
}

function unknownFile(): RouteError {
  return new RouteError(404, 'NOT_FOUND', 'There is no file with this id', {
    details: { param: 'id' },
  });
}
