/** Outputs of batches as files of OpenAI's API, also while they are made. */
import OpenAI, { toFile } from 'openai';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readBatch } from '../../../src/db/batches.ts';
import { openDatabase } from '../../../src/db/driver/client.ts';
import { openCopy } from '../../../src/db/driver/copy.ts';
import { createOutputLengths } from '../../../src/faces/openai/output-lengths.ts';
import { type App, startApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';

let app: App;
let client: OpenAI;
let sql: postgres.Sql;
const keys = { ada: 'the-right-key-of-ada-0123', bob: 'the-right-key-of-bob-0123' };
const headers = { authorization: `Bearer ${keys.ada}` };
beforeAll(async () => {
  app = await startApp({ API_KEYS: `ada:${keys.ada},bob:${keys.bob}`, WORKER_CONCURRENCY: '200' });
  sql = postgres(app.databaseUrl, { max: 1 });
  client = new OpenAI({ baseURL: `${app.url}/v1`, apiKey: keys.ada, maxRetries: 0 });
});
afterEach(() => app.sandbox.faults.clear());
afterAll(async () => {
  await sql.end();
  await app.stop();
});

/** A batch of one request for each text. Its id without its beginning names its outputs. */
async function start(texts: readonly string[]): Promise<{ id: string; out: string; err: string }> {
  const lines = texts.map((content, index) =>
    JSON.stringify({
      custom_id: `${index} ü`,
      method: 'POST',
      url: '/v1/chat/completions',
      body: { model: 'test/rules', messages: [{ role: 'user', content }] },
    }),
  );
  const file = await toFile(Buffer.from(lines.join('\n')), 'requests.jsonl');
  const { id: fileId } = await client.files.create({ file, purpose: 'batch' });
  const { data } = await app.graphql(
    `mutation ($id: ID!) {
      submitBatch(input: {operation: {chat: {}}, source: {fileId: $id}}) { batch { id } } }`,
    { id: fileId },
    headers,
  );
  const id: string = data?.submitBatch.batch.id;
  return { id, out: id.replace('batch_', 'file_out_'), err: id.replace('batch_', 'file_err_') };
}

async function change(mutation: string, id: string) {
  const { errors } = await app.graphql(`mutation ($id: ID!) { ${mutation} }`, { id }, headers);
  expect(errors).toBeUndefined();
}

async function batchOf(id: string) {
  const { data } = await app.graphql(
    'query ($id: ID!) { batch(id: $id) { status completedAt counts { succeeded failed } } }',
    { id },
    headers,
  );
  return data?.batch;
}

async function ended({ id }: { id: string }) {
  const isOver = async () =>
    ['COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED'].includes((await batchOf(id)).status);
  await until(isOver, { deadlineMs: 20_000, what: 'the end of a batch' });
}

async function read(id: string, offset?: number) {
  const query = offset === undefined ? '' : `?offset=${offset}`;
  const response = await fetch(`${app.url}/v1/files/${id}/content${query}`, { headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

function linesOf(text: string) {
  return text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((one) => JSON.parse(one));
}

/** Requests with this text get no answer but an error. */
function failThose(text: string) {
  app.sandbox.faults.add({
    fault: { kind: 'status', status: 400, message: 'no' },
    when: (request) => request.text === text,
  });
}

describe('a batch that has ended', () => {
  it('is not measured on when nobody asks for its length any more', async () => {
    const batch = await start(['good', 'better', 'best']);
    await ended(batch);
    const [db, copy] = [openDatabase(app.databaseUrl), openCopy(app.databaseUrl)];
    const record = await readBatch(db, 'ada', batch.id);
    if (!record) throw new Error('the batch must be there');
    const lengths = createOutputLengths();
    const [first, second] = [new AbortController(), new AbortController()];
    const ask = ({ signal }: AbortController) => lengths.of({ db, copy }, record, signal);

    const both = [ask(first), ask(second)];
    first.abort(new Error('the first has gone'));
    const { output } = await (both[1] as Promise<{ output: number }>);
    await both[0];
    const [third, fourth] = [new AbortController(), new AbortController()];
    const alone = ask(third);
    third.abort(new Error('the third has gone'));

    await expect(alone).rejects.toThrow('the third has gone');
    expect(output).toBe(Buffer.byteLength((await read(batch.out)).text));
    expect(await ask(fourth)).toEqual({ output, errors: 0 });
    await copy.close();
    await db.close();
  });

  it('has a file of what succeeded and one of the rest, in input order, with exact lengths', async () => {
    failThose('bad ü');
    const batch = await start(['good', 'bad ü', 'good ü', 'bad ü', 'good']);
    await ended(batch);

    const [out, err] = [await read(batch.out), await read(batch.err)];
    expect(linesOf(out.text).map((one) => one.custom_id)).toEqual(['0 ü', '2 ü', '4 ü']);
    expect(linesOf(err.text).map((one) => one.custom_id)).toEqual(['1 ü', '3 ü']);
    expect(out.headers.get('content-type')).toBe('application/x-ndjson');
    expect(out.headers.get('content-disposition')).toMatch(/^attachment/);
    expect(out.headers.get('x-incomplete')).toBeNull();
    const { completedAt } = await batchOf(batch.id);
    expect(await client.files.retrieve(batch.out)).toEqual({
      id: batch.out,
      object: 'file',
      bytes: Buffer.byteLength(out.text),
      created_at: Math.floor(Date.parse(completedAt) / 1_000),
      expires_at: null,
      filename: `${batch.id}_output.jsonl`,
      purpose: 'batch_output',
      status: 'processed',
      status_details: null,
    });
    expect(await client.files.retrieve(batch.err)).toMatchObject({
      bytes: Buffer.byteLength(err.text),
      filename: `${batch.id}_error.jsonl`,
    });
  });

  it('has the same lines as the output of the batch', async () => {
    const batch = await start(['one', 'two']);
    await ended(batch);
    const output = await fetch(`${app.url}/batches/${batch.id}/output?format=openai_jsonl`, {
      headers,
    });

    expect((await read(batch.out)).text).toBe(await output.text());
  });

  it('has no file where it has no line for one', async () => {
    failThose('bad');
    const [good, bad] = [await start(['good']), await start(['bad'])];
    await Promise.all([ended(good), ended(bad)]);

    expect((await read(good.out)).status).toBe(200);
    expect((await read(bad.err)).status).toBe(200);
    for (const id of [good.err, bad.out]) {
      expect((await read(id)).status).toBe(404);
      await expect(client.files.retrieve(id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
      await expect(client.files.delete(id)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    }
  });

  it('is read on behind an offset of lines', async () => {
    failThose('bad');
    const batch = await start(['a', 'bad', 'b', 'bad', 'c']);
    await ended(batch);
    const idsFrom = async (id: string, offset: number) =>
      linesOf((await read(id, offset)).text).map((one) => one.custom_id);

    expect(await idsFrom(batch.out, 1)).toEqual(['2 ü', '4 ü']);
    expect(await idsFrom(batch.out, 3)).toEqual([]);
    expect(await idsFrom(batch.err, 1)).toEqual(['3 ü']);
    expect(await idsFrom(batch.err, 9)).toEqual([]);
  });

  it('has its files in the list, which counts their bytes', async () => {
    failThose('bad');
    const batch = await start(['good', 'bad']);
    await ended(batch);
    const outputs = await client.files.list({ purpose: 'batch_output' });

    expect(outputs.data.slice(0, 2)).toEqual([
      await client.files.retrieve(batch.err),
      await client.files.retrieve(batch.out),
    ]);
    expect(outputs.data[1]?.bytes).toBe(Buffer.byteLength((await read(batch.out)).text));
    const all = [];
    for await (const { id } of client.files.list({ limit: 1 })) all.push(id);
    expect(new Set(all).size).toBe(all.length);
    expect(all).toEqual((await client.files.list()).data.map(({ id }) => id));
  });

  it('is of its owner alone', async () => {
    const batch = await start(['one']);
    await ended(batch);
    const other = new OpenAI({ baseURL: `${app.url}/v1`, apiKey: keys.bob, maxRetries: 0 });

    expect((await other.files.list()).data).toEqual([]);
    for (const attempt of [
      () => other.files.retrieve(batch.out),
      () => other.files.content(batch.out),
      () => other.files.delete(batch.out),
    ]) {
      await expect(attempt()).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    }
  });

  it('loses a file that is deleted, and it alone', async () => {
    failThose('bad');
    const batch = await start(['good', 'bad']);
    await ended(batch);

    expect(await client.files.delete(batch.out)).toEqual({
      id: batch.out,
      object: 'file',
      deleted: true,
    });
    expect((await read(batch.out)).status).toBe(404);
    await expect(client.files.retrieve(batch.out)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(client.files.delete(batch.out)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    expect((await read(batch.err)).status).toBe(200);
    const listed = (await client.files.list()).data.map(({ id }) => id);
    expect(listed).not.toContain(batch.out);
    expect(listed).toContain(batch.err);
    expect((await batchOf(batch.id)).counts).toEqual({ succeeded: 1, failed: 1 });
  });

  it('takes its files along when it is deleted', async () => {
    const batch = await start(['one']);
    await ended(batch);
    await change('deleteBatch(id: $id) { deletedId }', batch.id);

    expect((await read(batch.out)).status).toBe(404);
    await expect(client.files.retrieve(batch.out)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    expect((await client.files.list()).data.map(({ id }) => id)).not.toContain(batch.out);
  });

  it('has new files behind a retry, whose lengths are counted again', async () => {
    failThose('bad');
    const batch = await start(['good', 'bad']);
    await ended(batch);
    const before = await client.files.retrieve(batch.out);
    await client.files.delete(batch.err);
    await client.files.delete(batch.out);
    app.sandbox.faults.clear();
    await change('retryBatch(id: $id) { batch { id } }', batch.id);
    await ended(batch);

    const { text } = await read(batch.out);
    expect(linesOf(text)).toHaveLength(2);
    expect((await client.files.retrieve(batch.out)).bytes).toBe(Buffer.byteLength(text));
    expect(Buffer.byteLength(text)).toBeGreaterThan(before.bytes);
    expect((await read(batch.err)).status).toBe(404);
  });

  it('keeps the lengths once they are counted', async () => {
    const batch = await start(['one']);
    await ended(batch);
    const { bytes } = await client.files.retrieve(batch.out);

    const [kept] = await sql`
      select output_bytes::int as output, error_bytes::int as errors
      from batches where id = ${batch.id}`;
    expect(kept).toEqual({ output: bytes, errors: 0 });
  });
});

describe('a batch that runs', () => {
  /** Answers all requests but those with this text, which wait. */
  function hold(text: string) {
    app.sandbox.faults.add({
      fault: { kind: 'stall', at: 'headers' },
      when: (request) => request.text === text,
    });
  }

  async function answered({ id }: { id: string }, count: number) {
    const isThere = async () => {
      const { succeeded, failed } = (await batchOf(id)).counts;
      return succeeded + failed === count;
    };
    await until(isThere, { deadlineMs: 20_000, what: `${count} answers` });
  }

  it('has the beginning of its files, up to the first item without an answer', async () => {
    hold('held');
    failThose('bad');
    const texts = Array.from({ length: 250 }, (_, index) =>
      index === 130 ? 'held' : index % 10 === 3 ? 'bad' : 'good',
    );
    const batch = await start(texts);
    await answered(batch, 249);

    const [out, err] = [await read(batch.out), await read(batch.err)];
    expect(out.headers.get('x-incomplete')).toBe('true');
    expect(out.headers.get('x-last-line')).toBe('117');
    expect(linesOf(out.text)).toHaveLength(117);
    expect(linesOf(out.text).at(-1).custom_id).toBe('129 ü');
    expect(err.headers.get('x-last-line')).toBe('13');
    expect(linesOf(err.text)).toHaveLength(13);
    const rest = await read(batch.out, 100);
    expect(rest.headers.get('x-last-line')).toBe('117');
    expect(out.text.endsWith(rest.text)).toBe(true);
    expect(linesOf(rest.text)).toHaveLength(17);
    expect((await read(batch.out, 117)).text).toBe('');

    await change('cancelBatch(id: $id) { batch { id } }', batch.id);
    await ended(batch);
    const whole = await read(batch.out);
    expect(whole.headers.get('x-incomplete')).toBeNull();
    expect(out.text + (await read(batch.out, 117)).text).toBe(whole.text);
    expect(linesOf(whole.text)).toHaveLength(224);
    expect(linesOf((await read(batch.err)).text)).toHaveLength(26);
  });

  it('has no line before its first item has an answer, and no file to find, list or delete', async () => {
    hold('held');
    const batch = await start(['held', 'good']);
    await answered(batch, 1);

    const { status, text, headers: told } = await read(batch.out);
    expect(status).toBe(200);
    expect(text).toBe('');
    expect(told.get('x-last-line')).toBe('0');
    await expect(client.files.retrieve(batch.out)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    await expect(client.files.delete(batch.out)).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    const listed = (await client.files.list()).data.map(({ id }) => id);
    expect(listed).not.toContain(batch.out);
    await change('cancelBatch(id: $id) { batch { id } }', batch.id);
    await ended(batch);
  });
});

it.each(['offset=-1', 'offset=x', 'offset='])('needs a sensible offset: %s', async (query) => {
  const { id, out } = await start(['one']);
  await ended({ id });
  const response = await fetch(`${app.url}/v1/files/${out}/content?${query}`, { headers });

  expect(response.status).toBe(400);
  expect((await response.json()).error.param).toBe('offset');
});
