import { toFile } from 'openai';
import { expect, onTestFinished, test } from 'vitest';
import { createFileStore, type NewFile } from '../../src/sandbox/wire/batch/file-store.ts';
import { batchLines, createBatch, ended, upload } from './batch-requests.ts';
import { clientOf, openSandbox } from './requests.ts';

test('a file is uploaded, shown, downloaded and deleted', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const client = clientOf(sandbox);
  const content = Buffer.from([...batchLines(3), 'ünïcode \u{1f600}', ''].join('\r\n'));

  const created = await client.files.create({
    file: await toFile(content, 'rows.jsonl'),
    purpose: 'batch',
  });
  const shown = await client.files.retrieve(created.id);
  const back = Buffer.from(await (await client.files.content(created.id)).arrayBuffer());
  const deleted = await client.files.delete(created.id);

  expect(created).toEqual({
    object: 'file',
    id: expect.stringMatching(/^file-/),
    purpose: 'batch',
    filename: 'rows.jsonl',
    bytes: content.length,
    created_at: expect.any(Number),
    expires_at: created.created_at + 30 * 86_400,
    status: 'processed',
    status_details: null,
  });
  expect(shown).toEqual(created);
  expect(back.equals(content)).toBe(true);
  expect(deleted).toEqual({ id: created.id, object: 'file', deleted: true });
  for (const call of [
    () => client.files.retrieve(created.id),
    () => client.files.content(created.id),
    () => client.files.delete(created.id),
  ])
    await expect(call()).rejects.toMatchObject({ status: 404, param: 'id' });
});

test.each(['known', 'unknown'])('a file that arrives in pieces, of %s length', async (length) => {
  const sandbox = await openSandbox(onTestFinished);
  const content = Buffer.from(
    Array.from({ length: 40_000 }, (_, i) => `line ${i}\r\n--almost\r\n`).join(''),
  );
  const head = Buffer.from(
    '--xyz\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--xyz\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\nContent-Type: application/octet-stream\r\n\r\n',
  );
  const whole = Buffer.concat([head, content, Buffer.from('\r\n--xyz--\r\n')]);
  async function* pieces() {
    for (let at = 0; at < whole.length; at += 70_000) yield whole.subarray(at, at + 70_000);
  }

  const response = await fetch(`${sandbox.url}/files`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=xyz' },
    body: length === 'known' ? whole : (pieces() as unknown as BodyInit),
    duplex: 'half',
  } as RequestInit);
  const { id } = (await response.json()) as { id: string };
  const back = await (await clientOf(sandbox).files.content(id)).arrayBuffer();

  expect(Buffer.from(back).equals(content)).toBe(true);
});

test('files are listed by purpose, newest first, page by page', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const client = clientOf(sandbox);
  const batch = await createBatch(client, batchLines(1));
  await ended(sandbox, client, batch.id);
  const second = await upload(client, batchLines(1));

  const inputs: string[] = [];
  for await (const file of client.files.list({ purpose: 'batch', limit: 1 })) inputs.push(file.id);
  const oldestFirst = await client.files.list({ purpose: 'batch', order: 'asc' });
  const outputs = await client.files.list({ purpose: 'batch_output' });

  expect(inputs).toEqual([second.id, batch.input_file_id]);
  expect(oldestFirst.data.map(({ id }) => id)).toEqual([batch.input_file_id, second.id]);
  expect(outputs.data.map(({ filename }) => filename)).toEqual([`${batch.id}_output.jsonl`]);
});

test.each([
  ['no multipart', 'text/plain', 'hello'],
  ['no boundary', 'multipart/form-data', 'hello'],
  ['another boundary', 'multipart/form-data; boundary=a', '--b--\r\n'],
  [
    'no end',
    'multipart/form-data; boundary=a',
    '--a\r\ncontent-disposition: form-data; name="x"\r\n\r\nhello',
  ],
  ['no headers', 'multipart/form-data; boundary=a', '--a\r\nhello\r\n--a--'],
  ['no name', 'multipart/form-data; boundary=a', '--a\r\nx: y\r\n\r\nhello\r\n--a--'],
])('an upload with %s is a 400', async (_, contentType, body) => {
  const sandbox = await openSandbox(onTestFinished);

  const response = await fetch(`${sandbox.url}/files`, {
    method: 'POST',
    headers: { 'content-type': contentType },
    body,
  });

  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: { message: expect.stringContaining('multipart') },
  });
});

test.each([
  [{ purpose: 'batch' }, "Missing required parameter: 'file'."],
  [{ file: ['x', 'a.jsonl'] }, "Missing required parameter: 'purpose'."],
  [{ file: ['x', 'a.jsonl'], purpose: 'music' }, "'music' is not one of"],
  [{ file: ['x', 'a.txt'], purpose: 'batch' }, 'Must be .jsonl'],
  [{ file: ['', 'a.jsonl'], purpose: 'batch' }, 'File is empty.'],
  [
    { file: ['x', 'a.jsonl'], purpose: 'batch', 'expires_after[seconds]': '5' },
    "Invalid 'expires_after.seconds'",
  ],
])('an upload of %j is refused', async (fields, message) => {
  const sandbox = await openSandbox(onTestFinished);
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') form.append(name, value);
    else form.append(name, new Blob([value[0] as string]), value[1]);
  }

  const response = await fetch(`${sandbox.url}/files`, { method: 'POST', body: form });
  const { error } = (await response.json()) as { error: { message: string } };

  expect(response.status).toBe(400);
  expect(error.message).toContain(message);
  expect(sandbox.batches.uploadedCount).toBe(0);
});

test('the oldest file that is not in use makes room, and a full store refuses uploads', () => {
  const used = new Set<string>();
  const store = createFileStore({ maxBytes: 100, inUse: (id) => used.has(id) });
  const file = (bytes: number): NewFile => ({
    owner: 'openai',
    filename: 'a.jsonl',
    purpose: 'batch',
    content: [Buffer.alloc(bytes)],
    lifetime: null,
  });
  const first = store.add(file(50));
  used.add(first.id);
  const second = store.add(file(40));

  const third = store.add(file(30));
  used.add(third.id);

  expect(store.list('openai').map(({ id }) => id)).toEqual([first.id, third.id]);
  expect(store.get(second.id, 'openai')).toBeNull();
  expect(() => store.add(file(30))).toThrow('at most 100 bytes');
  expect(store.addResult(file(30)).bytes).toBe(30);
});

test('an upload of more than 100 MB is refused', async () => {
  const sandbox = await openSandbox(onTestFinished);
  const body = Buffer.alloc(100 * 1024 * 1024 + 1);

  const response = await fetch(`${sandbox.url}/files`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=xyz' },
    body,
  });

  expect(response.status).toBe(413);
});
