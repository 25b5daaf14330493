/**
 * What the tests of the public API share: raw requests, batches to their end, and subscriptions as
 * lists of events.
 */
import type { Client } from 'graphql-ws';
import type { Answer, App } from '../../support/app.ts';
import { until } from '../../support/until.ts';

export type Data = Record<string, any>;

/** The values of JSONL in which each line has its end. */
export function readLines(text: string): Data[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Data);
}

/** The output of a batch as text, as the query asks for it. */
export async function readOutput(url: string, id: string, query: string): Promise<string> {
  return await (await fetch(`${url}/batches/${id}/output?${query}`)).text();
}

export interface RawAnswer {
  status: number;
  headers: Headers;
  text: string;
  body: { data?: Data | null; errors?: NonNullable<Answer['errors']> };
}

/** A POST to /graphql with exactly this body. */
export async function post(
  app: Pick<App, 'url'>,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  return await request(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body:
      typeof body === 'string' || body instanceof Uint8Array
        ? (body as BodyInit)
        : JSON.stringify(body),
  });
}

export async function request(url: string, init: RequestInit = {}): Promise<RawAnswer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const isJson = text !== '' && /[/+]json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : {},
  };
}

export const labelOptions = { categories: ['praise', 'complaint'] };

/** A line of OpenAI's batch input. */
export function chatLine<Body extends object>(custom_id: string, body: Body) {
  return { custom_id, method: 'POST', url: '/v1/chat/completions', body };
}

export const submitMutation = `mutation Submit($input: SubmitBatchInput!) {
  submitBatch(input: $input) { batch { id status counts { total } } }
}`;

/** Submits a label batch over these texts and returns its id. `input` overrides. */
export async function submitTexts(
  app: App,
  texts: readonly string[],
  { headers = {}, ...input }: Record<string, unknown> & { headers?: Record<string, string> } = {},
): Promise<string> {
  const answer = await app.graphql(
    submitMutation,
    { input: { operation: { label: labelOptions }, source: { texts }, ...input } },
    headers,
  );
  const id: unknown = answer.data?.submitBatch?.batch.id;
  if (typeof id !== 'string') throw new Error(`not submitted: ${JSON.stringify(answer.errors)}`);
  return id;
}

export const finalStatuses = ['COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED'];

/** Waits for a batch's final state, in whose process it ends. */
export async function untilEnded(
  app: App,
  id: string,
  headers: Record<string, string> = {},
): Promise<Data> {
  const batch = await app.lookAfter('batch.ended', async () => {
    const { data } = await app.graphql(
      'query($id: ID!) { batch(id: $id) { id status progress counts { total pending processing succeeded failed cancelled expired } } }',
      { id },
      headers,
    );
    return finalStatuses.includes(data?.batch?.status) ? (data?.batch as Data) : null;
  });
  return batch ?? {};
}

/** Waits until each of the latest 100 batches has its final state. */
export async function untilAllEnded(
  app: App,
  headers: Record<string, string> = {},
): Promise<Data[]> {
  return await until<Data[] | null>(
    async () => {
      const { data } = await app.graphql(
        '{ batches(first: 100) { edges { node { status counts { failed expired } } } } }',
        {},
        headers,
      );
      const batches: Data[] = data?.batches.edges.map(({ node }: { node: Data }) => node);
      return batches.every(({ status }) => finalStatuses.includes(status)) ? batches : null;
    },
    { deadlineMs: 30_000, what: 'the end of every batch' },
  ).then((batches) => batches ?? []);
}

/** A subscription's events as they come. */
export interface Events {
  readonly all: Data[];
  readonly errors: NonNullable<Answer['errors']>;
  /** Set when the stream has completed by itself, or failed. */
  readonly done: boolean;
  /** Waits until the stream has completed. */
  ended(): Promise<Data[]>;
  stop(): void;
}

export function subscribe(
  client: Client,
  query: string,
  variables: Record<string, unknown> = {},
): Events {
  const all: Data[] = [];
  const errors: NonNullable<Answer['errors']> = [];
  let done = false;
  const stop = client.subscribe<Data>(
    { query, variables },
    {
      next: ({ data, errors: failed }) => {
        if (data) all.push(data);
        if (failed) errors.push(...(failed as unknown as typeof errors));
      },
      error: (error) => {
        if (Array.isArray(error)) errors.push(...(error as typeof errors));
        done = true;
      },
      complete: () => {
        done = true;
      },
    },
  );
  return {
    all,
    errors,
    get done() {
      return done;
    },
    async ended() {
      await until(() => done, { deadlineMs: 15_000, what: `the end of ${query}` });
      return all;
    },
    stop,
  };
}

/** The same over server-sent events. */
export function subscribeSse(
  app: Pick<App, 'url'>,
  query: string,
  variables: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Events {
  const all: Data[] = [];
  const errors: NonNullable<Answer['errors']> = [];
  const gone = new AbortController();
  let done = false;
  const reading = (async () => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headers },
      body: JSON.stringify({ query, variables }),
      signal: gone.signal,
    });
    let text = '';
    for await (const piece of (response.body ?? new ReadableStream()).pipeThrough(
      new TextDecoderStream(),
    )) {
      text += piece;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const [event, data] = [/^event: (.*)$/m, /^data: (.*)$/m].map(
          (line) => line.exec(text.slice(0, end))?.[1],
        );
        text = text.slice(end + 2);
        if (event === 'complete') done = true;
        if (event !== 'next' || !data) continue;
        const payload = JSON.parse(data) as { data?: Data; errors?: typeof errors };
        if (payload.data) all.push(payload.data);
        if (payload.errors) errors.push(...payload.errors);
      }
    }
  })();
  reading.catch(() => undefined); // cut off by stop()
  return {
    all,
    errors,
    get done() {
      return done;
    },
    async ended() {
      await until(() => done, { deadlineMs: 15_000, what: `the end of ${query}` });
      return all;
    },
    stop: () => gone.abort(),
  };
}
