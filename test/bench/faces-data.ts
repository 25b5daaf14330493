/**
 * Large data through the faces: files and message batches on their way in, in time and in memory,
 * and the client's records against what curl reads of the same output.
 */
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Database, openDatabase } from '../../src/db/driver/client.ts';
import { migrateDatabase } from '../../src/db/migrate.ts';
import { writeLines } from './data.ts';
import { batchId, fillBatch } from './export-data.ts';
import { type Goal, median, medianRatio, report, rounded } from './figures.ts';
import { idleBytes, type Measured, startServer } from './ingest.ts';
import { openBenchPostgres } from './postgres.ts';

const run = promisify(execFile);
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const rounds = 5;
const goals = { upload: 1.1, memoryMb: 150, records: 0.8 };
const sizes = { timedFile: 100e6, file: 200e6, messages: 256e6 };
/** Requests of a file; the face takes 50,000. */
const fileRequests = 48_000;
const messageRequests = 96_000;
const beginsMs = 3_000;
const model = 'sandbox/rules';

/** Prints a table, the goals and a line of JSON. */
export async function benchFaceData(recordCount = 1_000_000): Promise<void> {
  if (!(await run('psql', ['--version']).catch(() => null))) {
    process.stdout.write('psql is not on the PATH: install the PostgreSQL client\n');
    return;
  }
  const directory = await mkdtemp(join(tmpdir(), 'winnow-bench-'));
  await chmod(directory, 0o755);
  const postgres = await openBenchPostgres();
  try {
    const uploads = await withServer(await postgres.database('uploads'), (server, db) =>
      measureUploads(server, { db, directory }),
    );
    const url = await postgres.database('records');
    const reads = await withServer(url, async (server, db) => {
      await fillBatch(db, { url, directory, rowCount: recordCount });
      return await measureReads(server, recordCount);
    });
    print(uploads, reads, recordCount);
  } finally {
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function withServer<Value>(
  url: string,
  work: (server: Measured, db: Database) => Promise<Value>,
): Promise<Value> {
  await migrateDatabase(url);
  const db = openDatabase(url);
  const server = await startServer(url);
  try {
    return await work(server, db);
  } finally {
    await server.stop();
    await db.close();
  }
}

interface Upload {
  ms: number;
  /** Of the server. */
  cpuMs: number;
  /** Bytes over idle, until the answer. */
  overIdle: number;
}

interface Uploads {
  own: Upload[];
  openai: Upload[];
  file: Upload;
  messages: Upload;
  /** Bytes over idle while the message batch begins. */
  begunOverIdle: number;
}

async function measureUploads(
  server: Measured,
  { db, directory }: { db: Database; directory: string },
): Promise<Uploads> {
  const origin = server.files.replace(/\/files$/, '');
  const path = join(directory, 'requests.jsonl');
  const send = async (kind: keyof typeof bodies, items: number): Promise<Upload> => {
    await db.sql`truncate rows, files, ingests, batches cascade`;
    await db.sql`checkpoint`;
    const before = await server.ask();
    const { route, contentType, around } = bodies[kind];
    const args = ['--import', 'tsx', here('sender.ts'), `${origin}${route}`, path, contentType];
    const { stdout } = await run(process.execPath, [...args, ...around]);
    const { peak, cpuMs } = await server.ask();
    await checkItems(db, items);
    return { ms: Number(stdout), cpuMs: cpuMs - before.cpuMs, overIdle: peak - idle };
  };

  const idle = await idleBytes(server);
  const timed = { own: [] as Upload[], openai: [] as Upload[] };
  await writeLines(path, fileLines(sizes.timedFile));
  for (let round = -1; round < rounds; round += 1) {
    for (const kind of ['own', 'openai'] as const) {
      const upload = await send(kind, fileRequests);
      if (round >= 0) timed[kind].push(upload);
    }
  }
  await writeLines(path, fileLines(sizes.file));
  const file = await send('openai', fileRequests);
  await writeLines(path, messageBody(sizes.messages));
  const messages = await send('messages', messageRequests);
  await delay(beginsMs);
  const begunOverIdle = (await server.ask()).peak - idle;
  return { ...timed, file, messages, begunOverIdle };
}

const boundary = 'bench-boundary';
const form = {
  contentType: `multipart/form-data; boundary=${boundary}`,
  around: [
    `--${boundary}\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n` +
      `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="requests.jsonl"\r\n\r\n`,
    `\r\n--${boundary}--\r\n`,
  ],
};
const bodies = {
  own: {
    route: '/files?name=requests.jsonl',
    contentType: 'application/x-ndjson',
    around: [] as string[],
  },
  openai: { route: '/v1/files', ...form },
  messages: {
    route: '/v1/messages/batches',
    contentType: 'application/json',
    around: [] as string[],
  },
};

async function checkItems(db: Database, expected: number): Promise<void> {
  const [file] = await db.sql`select item_count as items from files order by key desc limit 1`;
  if (file?.items !== expected) throw new Error(`${file?.items} items of ${expected} are in`);
}

const sentence = 'The app crashed twice, "please" refund größe 価格.\n';

/** A text that takes so many bytes of JSON at most. */
function textOf(bytes: number): string {
  const each = Buffer.byteLength(JSON.stringify(sentence)) - 2;
  return sentence.repeat(bytes / each);
}

/** What stands around the text of a request, in bytes. */
const envelopeBytes = 150;

/** Lines of OpenAI's batches, of so many bytes together, roughly. */
function* fileLines(bytes: number): Generator<string> {
  const content = textOf(bytes / fileRequests - envelopeBytes);
  for (let at = 0; at < fileRequests; at += 1) {
    const body = { model, messages: [{ role: 'user', content }] };
    yield `${JSON.stringify({ custom_id: `row-${at}`, method: 'POST', url: '/v1/chat/completions', body })}\n`;
  }
}

/** The body of Anthropic's message batch, of so many bytes, roughly. */
function* messageBody(bytes: number): Generator<string> {
  const content = textOf(bytes / messageRequests - envelopeBytes);
  yield '{"requests":[';
  for (let at = 0; at < messageRequests; at += 1) {
    const params = { model, max_tokens: 100, messages: [{ role: 'user', content }] };
    yield `${at === 0 ? '' : ','}${JSON.stringify({ custom_id: `row-${at}`, params })}`;
  }
  yield ']}';
}

interface Reads {
  /** Milliseconds. */
  curl: number[];
  client: number[];
  clientCpu: number[];
}

async function measureReads(server: Measured, recordCount: number): Promise<Reads> {
  const origin = server.files.replace(/\/files$/, '');
  const output = `${origin}/batches/${batchId}/output?format=jsonl`;
  const times: Reads = { curl: [], client: [], clientCpu: [] };
  for (let round = -1; round < rounds; round += 1) {
    const read = await run('curl', ['-fsS', '-o', '/dev/null', '-w', '%{time_total}', output]);
    const reader = ['--import', 'tsx', here('record-reader.ts'), origin, batchId];
    const { stdout } = await run(process.execPath, [...reader, String(recordCount)]);
    if (round < 0) continue;
    times.curl.push(Number(read.stdout) * 1_000);
    const [ms = 0, cpuMs = 0] = stdout.split(' ').map(Number);
    times.client.push(ms);
    times.clientCpu.push(cpuMs);
  }
  return times;
}

const megabytes = (bytes: number) => rounded(bytes / 1e6);
const seconds = (times: readonly number[]) => ({
  seconds: rounded(median(times) / 1_000, 2),
  fastest: rounded(Math.min(...times) / 1_000, 2),
  slowest: rounded(Math.max(...times) / 1_000, 2),
});

function print(
  { own, openai, file, messages, begunOverIdle }: Uploads,
  { curl, client, clientCpu }: Reads,
  recordCount: number,
): void {
  const msOf = (uploads: readonly Upload[]) => uploads.map(({ ms }) => ms);
  const upload = (what: string, uploads: readonly Upload[]) => ({
    what,
    ...seconds(msOf(uploads)),
    cpuSeconds: rounded(median(uploads.map(({ cpuMs }) => cpuMs)) / 1_000, 2),
    mbOverIdle: megabytes(Math.max(...uploads.map(({ overIdle }) => overIdle))),
  });
  const memory = (what: string, bytes: number): Goal => ({
    name: `MB over idle of ${what}`,
    value: megabytes(bytes),
    bound: ['<=', goals.memoryMb],
  });
  report(
    'faces-data',
    [
      upload('POST /files, 100 MB', own),
      upload('POST /v1/files, 100 MB', openai),
      upload('POST /v1/files, 200 MB', [file]),
      upload('POST /v1/messages/batches, 256 MB', [messages]),
      { what: 'the message batch while it begins', mbOverIdle: megabytes(begunOverIdle) },
      { what: `curl reads ${recordCount} records`, ...seconds(curl) },
      {
        what: `getOutput('records') reads ${recordCount}`,
        ...seconds(client),
        cpuSeconds: rounded(median(clientCpu) / 1_000, 2),
      },
    ],
    [
      {
        name: 'POST /v1/files, times POST /files',
        value: medianRatio(msOf(openai), msOf(own)),
        bound: ['<=', goals.upload],
      },
      memory('a file of 200 MB', file.overIdle),
      memory('a message batch of 256 MB', messages.overIdle),
      {
        name: "rows a second of getOutput('records'), times those of curl",
        value: medianRatio(curl, client),
        bound: ['>=', goals.records],
      },
    ],
  );
}

if (process.argv[1] === here('faces-data.ts')) {
  await benchFaceData(Number(process.argv[2] ?? 1_000_000));
}
