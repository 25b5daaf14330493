/** Outputs that break off anywhere are whole, byte for byte. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectionLost, type OutputFormat, Winnow } from '../../src/client/index.ts';
import { type App, startApp } from '../support/app.ts';

const formats = ['csv', 'json', 'jsonl', 'openai_jsonl', 'anthropic_jsonl'] as const;

let app: App;
let id: string;
beforeAll(async () => {
  app = await startApp();
  const batch = await new Winnow({ url: app.url }).batches.submit({
    label: { categories: ['praise', 'complaint'] },
    source: Array.from({ length: 40 }, (_, at) => ({
      content: at % 7 === 0 ? ' ' : `"I ${at % 2 === 0 ? 'love' : 'hate'}\nit", ${at}`,
      metadata: { 'a "name",\n of a column': `,\n"${at}` },
    })),
  });
  await batch.done();
  id = batch.id;
});
afterAll(() => app.stop());

/** A fetch whose outputs break off behind so many bytes, one after another. */
function breakingOff(lengths: number[]): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (!String(input).includes('/output?')) return response;
    const length = lengths.shift();
    if (length === undefined) return response;
    const bytes = new Uint8Array(await response.arrayBuffer());
    return new Response(
      new ReadableStream<Uint8Array>({
        start(controller) {
          if (length > 0) controller.enqueue(bytes.subarray(0, length));
        },
        pull(controller) {
          controller.error(new TypeError('terminated'));
        },
      }),
    );
  };
}

function clientOf(lengths: number[]): Winnow {
  return new Winnow({ url: app.url, fetch: breakingOff(lengths) });
}

async function wholeOutput(format: OutputFormat, query = ''): Promise<string> {
  return await (await fetch(`${app.url}/batches/${id}/output?format=${format}${query}`)).text();
}

describe.concurrent.each(formats)('%s', (format) => {
  it('is whole wherever it breaks off', async () => {
    const expected = await wholeOutput(format);
    const { length } = new TextEncoder().encode(expected);
    const cuts = [0, 1, 2, 3, 100, 400, length - 1];
    const texts = await Promise.all(
      cuts.map(async (cut) => (await clientOf([cut]).batches.get(id)).getOutput(format)),
    );

    for (const text of texts) expect(text).toBe(expected);
  });

  it('is whole where it breaks off again and again, with a filter too', async () => {
    const expected = await wholeOutput(format, '&status=failed');
    const batch = await clientOf([250, 700, 1_500]).batches.get(id);

    expect(await batch.getOutput(format, { status: 'failed' })).toBe(expected);
  });

  it('is whole with a filter by answers, wherever it breaks off', async () => {
    const expected = await wholeOutput(format, '&label=complaint&confidence_from=0.01');
    const batch = await clientOf([250, 700, 1_500]).batches.get(id);
    const options = { labels: ['complaint'], confidenceFrom: 0.01 };

    expect(expected.length).toBeGreaterThan(1_500);
    expect(await batch.getOutput(format, options)).toBe(expected);
  });
});

it('is whole as records too', async () => {
  const items: unknown[] = [];
  for await (const item of (await clientOf([]).batches.get(id)).items()) items.push(item);
  const batch = await clientOf([0, 3, 700, 1_500]).batches.get(id);

  expect(items).toHaveLength(40);
  expect(await batch.getOutput('records')).toEqual(items);
});

it('is given up where nothing comes any more', async () => {
  const batch = await new Winnow({
    url: app.url,
    maxRetries: 1,
    fetch: breakingOff([200, 0, 0]),
  }).batches.get(id);

  await expect(batch.getOutput('jsonl')).rejects.toBeInstanceOf(ConnectionLost);
});

it('is not read from the start where the batch still changes', async () => {
  const breaking = breakingOff([400]);
  const batch = await new Winnow({
    url: app.url,
    async fetch(input, init) {
      const response = await breaking(input, init);
      if (!String(init?.body).includes('query Batch(')) return response;
      return new Response((await response.text()).replace('COMPLETED', 'PROCESSING'));
    },
  }).batches.get(id);

  expect(batch.status).toBe('processing');
  await expect(batch.getOutput('openai_jsonl')).rejects.toBeInstanceOf(ConnectionLost);
});

it('ends its download when the stream is cancelled', async () => {
  const batch = await clientOf([]).batches.get(id);
  const reader = batch.output('jsonl').getReader();
  await reader.read();
  await reader.cancel();

  expect(await reader.read()).toEqual({ done: true, value: undefined });
});
