/**
 * What the types of the package let through and what they refuse. Compiled in an empty project,
 * without the types of Node and with those of the package checked.
 */
import { BatchFailed, type BatchItem, RateLimited, Winnow, WinnowError } from 'winnow-client';

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function isTrue<_Fact extends true>(): void {}

const winnow = new Winnow({ url: 'http://127.0.0.1:4000', maxRetries: 1, timeoutMs: 1_000 });
const signal = AbortSignal.timeout(1_000);
const categories = ['praise', 'complaint'] as const;

export async function labels(): Promise<void> {
  const { results, usage, model } = await winnow.label(['x', { content: 'y', customId: 'b' }], {
    categories: ['praise', 'complaint'],
    categoryDescriptions: { praise: 'glad' },
    examples: [{ content: 'z', labels: ['complaint'] }],
    signal,
  });
  isTrue<Equal<(typeof results)[number]['label'], 'praise' | 'complaint' | null>>();
  isTrue<Equal<typeof usage.costUsd, number | null>>();
  isTrue<Equal<typeof model, string>>();
  // @ts-expect-error: a wrong category
  results[0]?.label === 'prise';
  // @ts-expect-error: a wrong category in an example
  await winnow.label(['x'], { categories, examples: [{ content: 'z', labels: ['other'] }] });
  // @ts-expect-error: no categories
  await winnow.label(['x'], {});
  // @ts-expect-error: an unknown option
  await winnow.label(['x'], { categories, temprature: 1 });
  // @ts-expect-error: an item without content
  await winnow.label([{ customId: 'x' }], { categories });
  const some: string[] = [...categories];
  const { results: open } = await winnow.label(['x'], { categories: some });
  isTrue<Equal<(typeof open)[number]['label'], string | null>>();
}

export async function data(): Promise<void> {
  const { results } = await winnow.extract(['x'], {
    schema: {
      company: 'string',
      year: 'integer?',
      tags: 'string[]',
      size: ['small', 'large'],
      address: { street: 'string', numbers: ['integer'] },
      rate: { type: 'number', minimum: 0 },
      about: 'what the company does',
    },
  });
  type Data = NonNullable<(typeof results)[number]['data']>;
  isTrue<
    Equal<
      Data,
      {
        company: string | null;
        tags: string[];
        size: 'small' | 'large' | null;
        address: { street: string | null; numbers: number[] };
        rate: number | null;
        about: string | null;
        year?: number;
      }
    >
  >();
  // @ts-expect-error: a field that was not asked for
  results[0]?.data?.revenue;
  const full = await winnow.extract(['x'], {
    schema: { type: 'object', properties: { a: { type: 'string' } } },
  });
  isTrue<Equal<NonNullable<(typeof full.results)[number]['data']>, Record<string, unknown>>>();
  const free = await winnow.extract(['x'], { instructions: 'Extract: name, year' });
  isTrue<Equal<NonNullable<(typeof free.results)[number]['data']>, Record<string, unknown>>>();

  const enriched = await winnow.enrich(['x'], {
    fields: [
      'sentiment',
      { name: 'stars', type: 'numeric' },
      { name: 'topic', type: 'categorical', validValues: ['food', 'staff'] },
    ],
  });
  isTrue<
    Equal<
      NonNullable<(typeof enriched.results)[number]['data']>,
      { sentiment: string | null; stars: number | null; topic: 'food' | 'staff' | null }
    >
  >();
  // @ts-expect-error: an unknown type
  await winnow.enrich(['x'], { fields: [{ name: 'a', type: 'number' }] });
  const { results: texts } = await winnow.run(['x'], { instructions: 'Translate.' });
  isTrue<Equal<(typeof texts)[number]['text'], string | null>>();
  await winnow.summarize(['x']);
}

export async function batches(): Promise<void> {
  const file = await winnow.files.upload(new Blob(['x']), {
    name: 'x.csv',
    format: 'csv',
    onProgress: ({ sentBytes, totalBytes }) => [sentBytes, totalBytes],
  });
  const batch = await winnow.batches.submit({
    label: { categories },
    source: file,
    execution: 'provider_batch',
    idempotencyKey: 'key',
  });
  isTrue<Equal<typeof batch.createdAt, Date>>();
  isTrue<Equal<typeof batch.completedAt, Date | null>>();
  for await (const item of batch.items({ status: 'failed', include: ['content'] })) {
    isTrue<
      Equal<NonNullable<typeof item.output>['label'], 'praise' | 'complaint' | null | undefined>
    >();
  }
  const text: string = await batch.getOutput('csv', { delimiter: ';' });
  const records: BatchItem[] = await batch.getOutput('records');
  const stream: ReadableStream<Uint8Array> = batch.output('jsonl');
  isTrue<
    Equal<[typeof text, typeof records, typeof stream] extends unknown[] ? true : false, true>
  >();
  for await (const one of winnow.batches.list({ status: ['processing', 'queued'] })) one.id;

  // @ts-expect-error: a wrong status
  winnow.batches.list({ status: 'running' });
  // @ts-expect-error: a status that is the batch's, not the item's
  batch.items({ status: 'completed' });
  // @ts-expect-error: a wrong status
  batch.status === 'COMPLETED';
  // @ts-expect-error: an unknown format
  await batch.getOutput('xml');
  // @ts-expect-error: an unknown format
  batch.output('records');
  // @ts-expect-error: two operations
  await winnow.batches.submit({ label: { categories }, summarize: {}, source: ['x'] });
  // @ts-expect-error: no operation
  await winnow.batches.submit({ source: ['x'] });
  // @ts-expect-error: an unknown option
  await winnow.batches.submit({ summarize: {}, source: ['x'], priority: 1 });
  // @ts-expect-error: an unknown option of the operation
  await winnow.batches.submit({ summarize: { categories }, source: ['x'] });
  // @ts-expect-error: no source
  await winnow.batches.submit({ summarize: {} });
  // @ts-expect-error: an enum in upper case
  await winnow.batches.submit({ summarize: {}, source: ['x'], execution: 'LIVE' });
}

export function errors(error: unknown): number | null {
  if (error instanceof BatchFailed) return error.batch.counts.failed;
  if (error instanceof RateLimited) return error.retryAfterMs;
  return error instanceof WinnowError ? error.status : null;
}

export async function wayOut(): Promise<string> {
  const { service } = await winnow.graphql<{ service: { version: string } }>(
    '{ service { version } }',
    {},
    { signal },
  );
  return service.version;
}
