/** Batches through the public API of any server, wherever it runs. */
import type { Client } from 'graphql-ws';
import type { Sandbox } from '../../../src/sandbox/faults/sandbox.ts';
import { until } from '../../support/until.ts';

/** What a test needs of an app: where it is. */
export interface Api {
  url: string;
}

export interface BatchView {
  id: string;
  status: string;
  progress: number;
  counts: Record<
    'total' | 'pending' | 'processing' | 'succeeded' | 'failed' | 'cancelled' | 'expired',
    number
  >;
  usage: {
    requests: number;
    inputTokens: number;
    outputTokens: number;
    unmeteredRequests: number;
  };
  resentRequests: number;
  error: string | null;
  errorCode: string | null;
  errorSummary: { code: string; count: number; message: string }[];
  startedAt: string | null;
  completedAt: string | null;
  cancelInitiatedAt: string | null;
  itemsPerSecond: number | null;
}

export interface ItemView {
  index: number;
  customId: string;
  status: string;
  content: string;
  output: { label?: string } | null;
  error: { code: string; message: string } | null;
  attempts: number;
  usage: { requests: number; inputTokens: number; outputTokens: number } | null;
}

const batchFields = `id status progress counts { total pending processing succeeded failed cancelled expired }
  usage { requests inputTokens outputTokens unmeteredRequests } resentRequests error errorCode errorSummary { code count message }
  startedAt completedAt cancelInitiatedAt itemsPerSecond`;
const itemFields = `index customId status content output error { code message } attempts
  usage { requests inputTokens outputTokens }`;

export async function ask<Data>(
  { url }: Api,
  query: string,
  variables: Record<string, unknown>,
): Promise<Data> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data: Data; errors?: unknown };
  if (errors) throw new Error(`refused: ${JSON.stringify(errors)}`);
  return data;
}

/** `count` different texts: `text 0` … */
export function texts(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `text ${index}`);
}

/** More texts than these go as a file. */
const maxInlineTexts = 10_000;

async function sourceOf({ url }: Api, source: readonly string[]) {
  if (source.length <= maxInlineTexts) return { texts: source };
  const form = new FormData();
  form.set('file', new File([source.join('\n')], 'texts.txt', { type: 'text/plain' }));
  const response = await fetch(`${url}/files`, { method: 'POST', body: form });
  const body = (await response.json()) as { id?: string };
  if (!body.id) throw new Error(`refused: ${JSON.stringify(body)}`);
  return { fileId: body.id };
}

/** Submits a label batch; `input` adds to it or overrides. Returns its id. */
export async function submit(
  api: Api,
  source: readonly string[],
  input: Record<string, unknown> = {},
): Promise<string> {
  const { submitBatch } = await ask<{ submitBatch: { batch: { id: string } } }>(
    api,
    'mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }',
    {
      input: {
        operation: { label: { categories: ['praise', 'complaint'] } },
        source: await sourceOf(api, source),
        ...input,
      },
    },
  );
  return submitBatch.batch.id;
}

/**
 * Submits a batch of which it is known what its items cost, in place of what a quote would say.
 * Null: nobody will ever say it. `set` writes to the batch before it starts.
 */
export async function submitQuoted(
  api: Api,
  source: readonly string[],
  {
    quote,
    set,
    ...input
  }: {
    quote: object | null;
    set: (id: string, quote: string | null) => PromiseLike<unknown>;
  } & Record<string, unknown>,
): Promise<string> {
  const id = await submit(api, source, { ...input, autoStart: false });
  await set(id, quote && JSON.stringify(quote));
  await ask(api, 'mutation($id: ID!) { startBatch(id: $id) { batch { id } } }', { id });
  return id;
}

export async function readBatch(api: Api, id: string): Promise<BatchView> {
  const { batch } = await ask<{ batch: BatchView }>(
    api,
    `query($id: ID!) { batch(id: $id) { ${batchFields} } }`,
    { id },
  );
  return batch;
}

export async function cancel(api: Api, id: string): Promise<BatchView> {
  const { cancelBatch } = await ask<{ cancelBatch: { batch: BatchView } }>(
    api,
    `mutation($id: ID!) { cancelBatch(id: $id) { batch { ${batchFields} } } }`,
    { id },
  );
  return cancelBatch.batch;
}

/** Waits until the batch is as `condition` says. */
export async function untilBatch(
  api: Api,
  id: string,
  condition: (batch: BatchView) => boolean,
  { deadlineMs = 15_000, what = 'the state of a batch' } = {},
): Promise<BatchView> {
  let last = await readBatch(api, id);
  try {
    await until(
      async () => {
        last = await readBatch(api, id);
        return condition(last);
      },
      { deadlineMs, what },
    );
    return last;
  } catch (error) {
    throw new Error(`${String(error)}; the last was ${JSON.stringify(last)}`, { cause: error });
  }
}

export async function untilEnded(api: Api, id: string, deadlineMs = 15_000): Promise<BatchView> {
  return await untilBatch(api, id, hasEnded, { deadlineMs, what: 'the end of a batch' });
}

export function hasEnded({ status }: Pick<BatchView, 'status'>): boolean {
  return ['COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED'].includes(status);
}

/** Every item, in the order of the connection. */
export async function readItems(api: Api, id: string): Promise<ItemView[]> {
  const items: ItemView[] = [];
  for (let after: string | null = null; ; ) {
    const { batch }: { batch: { items: ItemConnection } } = await ask(
      api,
      `query($id: ID!, $after: String) { batch(id: $id) { items(first: 250, after: $after) {
         edges { node { ${itemFields} } } pageInfo { hasNextPage endCursor } } } }`,
      { id, after },
    );
    items.push(...batch.items.edges.map(({ node }) => node));
    if (!batch.items.pageInfo.hasNextPage) return items;
    after = batch.items.pageInfo.endCursor;
  }
}

interface ItemConnection {
  edges: { node: ItemView }[];
  pageInfo: { hasNextPage: boolean; endCursor: string };
}

/** Every event of `batchProgress` until it completes. */
export async function followProgress(
  socket: Client,
  id: string,
  onEvent: (batch: BatchView) => void = () => undefined,
): Promise<BatchView[]> {
  const events: BatchView[] = [];
  for await (const event of socket.iterate<{ batchProgress: BatchView }>({
    query: `subscription($id: ID!) { batchProgress(id: $id) { ${batchFields} } }`,
    variables: { id },
  })) {
    const batch = event.data?.batchProgress;
    if (!batch) throw new Error(`refused: ${JSON.stringify(event.errors)}`);
    events.push(batch);
    onEvent(batch);
  }
  return events;
}

/** The indexes of all items that `batchResults` tells of until it completes. */
export async function followResults(socket: Client, id: string): Promise<number[]> {
  const indexes: number[] = [];
  for await (const event of socket.iterate<{ batchResults: { items: { index: number }[] } }>({
    query: 'subscription($id: ID!) { batchResults(id: $id) { items { index } } }',
    variables: { id },
  })) {
    if (!event.data) throw new Error(`refused: ${JSON.stringify(event.errors)}`);
    indexes.push(...event.data.batchResults.items.map(({ index }) => index));
  }
  return indexes;
}

/** How often the sandbox was asked about each text, as far as its journal goes back. */
export function timesAsked(sandbox: Sandbox): Map<string, number> {
  const times = new Map<string, number>();
  for (const { body } of sandbox.requests.journal) {
    const text = textOf(body);
    times.set(text, (times.get(text) ?? 0) + 1);
  }
  return times;
}

/** The text of the item that a request is about. */
export function textOf(body: unknown): string {
  const { messages } = body as { messages: { role: string; content: string }[] };
  return messages.find(({ role }) => role === 'user')?.content ?? '';
}

export function sumOf(counts: BatchView['counts']): number {
  const { total: _total, ...parts } = counts;
  return Object.values(parts).reduce((sum, part) => sum + part, 0);
}
