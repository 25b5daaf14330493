/** A server with POST /files alone, on a database of its own. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { type Database, openDatabase } from '../../../src/db/driver/client.ts';
import { type Copy, openCopy } from '../../../src/db/driver/copy.ts';
import type { Patience } from '../../../src/faces/http/received.ts';
import { sendRouteError } from '../../../src/faces/http/route-error.ts';
import type { UploadSubmission } from '../../../src/faces/rest/batch-fields.ts';
import { answerUpload } from '../../../src/faces/rest/upload-route.ts';
import type { ReadLimits } from '../../../src/files/read/limits.ts';
import { readLimits } from '../../../src/files/read/limits.ts';
import { createEvents, type Telling } from '../../../src/telemetry/events.ts';
import { createTestDatabase } from '../../support/database.ts';

export interface UploadServer {
  url: string;
  port: number;
  db: Database;
  copy: Copy;
  events: Telling;
  /**
   * What was asked of the fake submit, which answers `batch_1` and throws `refusal` when there is
   * one.
   */
  submissions: (UploadSubmission & { fileId: string })[];
  refusal: Error | null;
  limits: ReadLimits;
  patience: Patience | undefined;
  /** Called with each request before it is answered. */
  onRequest: (request: IncomingMessage) => void;
  close(): Promise<void>;
}

export async function startUploadServer(): Promise<UploadServer> {
  const database = await createTestDatabase();
  const db = openDatabase(database.url);
  const copy = openCopy(database.url);
  const log = pino({ level: 'silent' });
  const events = createEvents(log);
  const submit = async (fileId: string, submission: UploadSubmission) => {
    if (uploads.refusal) throw uploads.refusal;
    uploads.submissions.push({ fileId, ...submission });
    return 'batch_1';
  };
  const http: Server = createServer((request, response) => {
    uploads.onRequest(request);
    void answerUpload({
      request,
      response,
      services: {
        db,
        copy,
        events,
        submit,
        limitsOf: () => null,
        discard: async () => undefined,
        limits: uploads.limits,
        ...(uploads.patience ? { patience: uploads.patience } : {}),
      },
      owner: 'local',
      query: new URL(request.url ?? '/', 'http://localhost').searchParams,
    }).catch((error: unknown) =>
      sendRouteError(response, error, { asking: { requestId: 'test' }, log }),
    );
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const uploads: UploadServer = {
    url: `http://127.0.0.1:${port}/files`,
    port,
    db,
    copy,
    events,
    submissions: [],
    refusal: null,
    limits: readLimits,
    patience: undefined,
    onRequest: () => undefined,
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
      await copy.close();
      await db.close();
      await database.drop();
    },
  };
  return uploads;
}

/** What an upload has left: everything that must be gone when it failed. */
export async function countLeftovers({
  db,
}: UploadServer): Promise<{ rows: number; files: number; ingests: number }> {
  const [counted] = await db.sql<{ rows: number; files: number; ingests: number }[]>`
    select (select count(*) from rows)::int as rows, (select count(*) from files)::int as files,
           (select count(*) from ingests)::int as ingests`;
  return counted as { rows: number; files: number; ingests: number };
}
