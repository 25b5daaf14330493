/** Files: every source, progress, and what is known of them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NotFound, Unauthenticated, type UploadProgress, Winnow } from '../../src/client/index.ts';
import { type App, startApp } from '../support/app.ts';

const csv = `id,text\n${Array.from({ length: 20_000 }, (_, at) => `r-${at},Some text\n`).join('')}`;

let app: App;
let winnow: Winnow;
let directory: string;
beforeAll(async () => {
  app = await startApp({ API_KEYS: 'ada:the-right-key-of-ada-0123' });
  winnow = new Winnow({ url: app.url, apiKey: 'the-right-key-of-ada-0123' });
  directory = await mkdtemp(join(tmpdir(), 'winnow-client-'));
});
afterAll(async () => {
  await app.stop();
  await rm(directory, { recursive: true });
});

it.each(['a path', 'a Blob', 'a stream'])('uploads %s, and tells how far it is', async (what) => {
  const path = join(directory, 'reviews.csv');
  await writeFile(path, csv);
  const blob = new Blob([csv]);
  const source = { 'a path': path, 'a Blob': blob, 'a stream': blob.stream() }[what] ?? path;
  const told: UploadProgress[] = [];

  const file = await winnow.files.upload(source, {
    name: 'own name.csv',
    contentField: 'text',
    customIdField: 'id',
    onProgress: (progress) => told.push({ ...progress }),
  });

  expect(file).toMatchObject({
    name: 'own name.csv',
    format: 'csv',
    itemCount: 20_000,
    sizeBytes: csv.length,
    contentField: 'text',
    customIdField: 'id',
    rejections: [],
  });
  expect(file.createdAt).toBeInstanceOf(Date);
  expect(told.length).toBeGreaterThan(1);
  expect(told.at(-1)).toEqual({
    sentBytes: csv.length,
    totalBytes: what === 'a stream' ? null : csv.length,
  });
});

it('names a file by its path, and reads it as it is told', async () => {
  const path = join(directory, 'lines.dat');
  await writeFile(path, '{"content": "one"}\n{"content": "two"}\n');
  const file = await winnow.files.upload(path, { format: 'jsonl' });

  expect(file).toMatchObject({ name: 'lines.dat', format: 'jsonl', itemCount: 2 });
});

it('gets, lists and deletes files', async () => {
  const file = await winnow.files.upload(new File(['a text\n'], 'last.txt'));
  const listed: string[] = [];
  for await (const { name } of winnow.files.list()) listed.push(name);

  expect(listed[0]).toBe('last.txt');
  expect(await winnow.files.get(file.id)).toEqual(file);
  await winnow.files.delete(file.id);
  await expect(winnow.files.get(file.id)).rejects.toBeInstanceOf(NotFound);
});

it('says what is wrong with a file, and throws as the system does where there is none', async () => {
  await expect(
    winnow.files.upload(new Blob(['{"a": 1']), { format: 'json' }),
  ).rejects.toMatchObject({
    code: 'BAD_USER_INPUT',
    status: 400,
    requestId: expect.any(String),
  });
  await expect(winnow.files.upload(join(directory, 'none.csv'))).rejects.toMatchObject({
    code: 'ENOENT',
  });
});

it('throws what a source throws, and does not send it again', async () => {
  let begun = 0;
  const source = new ReadableStream<Uint8Array>({
    pull() {
      begun += 1;
      throw new Error('the disk is gone');
    },
  });

  await expect(winnow.files.upload(source)).rejects.toThrow('the disk is gone');
  expect(begun).toBe(1);
});

it('needs the key, also for a stream', async () => {
  const stranger = new Winnow({ url: app.url, apiKey: 'wrong', maxRetries: 0 });

  await expect(stranger.files.upload(new Blob([csv]).stream())).rejects.toBeInstanceOf(
    Unauthenticated,
  );
});

it('parses results, by pages and by a schema', async () => {
  const lines = Array.from({ length: 1_001 }, (_, at) => {
    const content = at === 3 ? 'no JSON' : JSON.stringify({ year: 1_000 + at });
    const body = { choices: [{ message: { role: 'assistant', content }, finish_reason: 'stop' }] };
    return `${JSON.stringify({ custom_id: `r-${at}`, response: { status_code: 200, body }, error: null })}\n`;
  });
  const file = await winnow.files.upload(new Blob(lines), { format: 'openai_results' });
  const years: (number | null | undefined)[] = [];
  const failed: string[] = [];
  for await (const parsed of winnow.parseResults(file, { responseSchema: { year: 'integer' } })) {
    years.push(parsed.output?.year);
  }
  for await (const { customId, error } of winnow.parseResults(file, {
    responseSchema: { year: 'integer' },
    status: 'failed',
  })) {
    failed.push(`${customId} ${error?.code}`);
  }

  expect(years).toHaveLength(1_001);
  expect(years[1_000]).toBe(2_000);
  expect(failed).toEqual(['r-3 INVALID_OUTPUT']);
});
