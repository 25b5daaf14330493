import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

/** A small GraphQL client: fetch for queries and mutations, graphql-ws for subscriptions. */
export interface Client {
  /** Throws an Error with the server's messages and codes. */
  request<Data>(
    query: string,
    variables: Record<string, unknown>,
    signal: AbortSignal | null,
  ): Promise<Data>;
  /** Ends with the subscription; throws the signal's reason when it is aborted. */
  subscribe<Data>(
    query: string,
    variables: Record<string, unknown>,
    signal: AbortSignal,
  ): AsyncGenerator<Data, void>;
  /** Streams what a path answers into a file, which appears when it is whole. */
  download(path: string, file: string, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

interface Answer<Data> {
  data?: Data | null;
  errors?: readonly ServerError[];
}

interface ServerError {
  message: string;
  extensions?: { code?: unknown; issues?: { path: string; message: string }[] };
}

export function connectTo(url: string): Client {
  const socket = createClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    retryAttempts: 0,
  });

  return {
    async request<Data>(query: string, variables: object, signal: AbortSignal | null) {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ query, variables }),
        signal,
      });
      return dataOf((await response.json()) as Answer<Data>);
    },

    async *subscribe<Data>(
      query: string,
      variables: Record<string, unknown>,
      signal: AbortSignal,
    ): AsyncGenerator<Data, void> {
      signal.throwIfAborted();
      const events = socket.iterate<Data>({ query, variables });
      const leave = () => void events.return?.(); // never rejects
      signal.addEventListener('abort', leave);
      try {
        for await (const event of events) yield dataOf(event as Answer<Data>);
      } catch (error) {
        throw toError(error);
      } finally {
        signal.removeEventListener('abort', leave);
      }
      signal.throwIfAborted();
    },

    async download(path, file, signal) {
      const response = await fetch(`${url}${path}`, { signal });
      if (!response.ok || !response.body) {
        throw new Error(`GET ${path} answered ${response.status}: ${await response.text()}`);
      }
      const part = `${file}.part`;
      await pipeline(Readable.fromWeb(response.body as ReadableStream), createWriteStream(part));
      await rename(part, file);
    },

    async close() {
      await socket.dispose();
    },
  };
}

function dataOf<Data>({ data, errors }: Answer<Data>): Data {
  if (errors?.length || !data) throw toError(errors ?? []);
  return data;
}

/** graphql-ws throws a server's errors as a list, and the end of a connection as a close event. */
function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  if (!Array.isArray(thrown)) {
    return new Error('The connection to the server was closed.', { cause: thrown });
  }
  const lines = (thrown as ServerError[]).flatMap(({ message, extensions }) => [
    `${message}${extensions?.code ? ` (${extensions.code})` : ''}`,
    ...(extensions?.issues ?? []).map(({ path, message: what }) => `  ${path}: ${what}`),
  ]);
  return new Error(lines.join('\n') || 'The server answered without data.');
}
