/** The page's client of the API: one cache, HTTP for questions, one WebSocket for what is live. */
import { cacheExchange } from '@urql/exchange-graphcache';
import { createClient as createSocket } from 'graphql-ws';
import { Client, type CombinedError, fetchExchange, mapExchange, subscriptionExchange } from 'urql';
import { noteClosed, noteOpened } from './connection.ts';
import { refuseKey } from './key.ts';
import { addressOf } from './root.ts';

/**
 * Before the first, second, … attempt to reach the server again; the last is for all later. It is
 * short, since a page must be right again within 3 s of a start.
 */
const pausesMs = [500, 1_000, 2_000];
const pingMs = 10_000;
/** With it the server closes a socket whose key it does not know. */
const notLetIn = 4403;

export interface Api {
  client: Client;
  close(): void;
}

export function createApi(key: string | null): Api {
  let awaited: ReturnType<typeof setTimeout> | undefined;
  let active: WebSocket | null = null;
  const socket = createSocket({
    url: addressOf('/graphql').replace(/^http/, 'ws'),
    connectionParams: key === null ? {} : { Authorization: `Bearer ${key}` },
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: (event) => !isRefusal(event),
    retryWait: (retries) => pause(pausesMs[Math.min(retries, pausesMs.length - 1)]),
    keepAlive: pingMs,
    on: {
      opened: (opened) => {
        active = opened as WebSocket;
      },
      connected: noteOpened,
      closed: (event) => {
        if (isRefusal(event)) refuseKey(key);
        else if (!(event as CloseEvent).wasClean || (event as CloseEvent).code !== 1000) {
          noteClosed();
        }
      },
      ping: (received) => {
        // A connection that swallows what it is sent does not answer.
        if (!received) awaited = setTimeout(() => active?.close(4408, 'No answer'), pingMs / 2);
      },
      pong: (received) => {
        if (received) clearTimeout(awaited);
      },
    },
  });

  const client = new Client({
    url: addressOf('/graphql'),
    preferGetMethod: false,
    fetchOptions: key === null ? {} : { headers: { authorization: `Bearer ${key}` } },
    exchanges: [
      mapExchange({
        onError: (error) => {
          if (isUnauthenticated(error)) refuseKey(key);
        },
      }),
      cacheExchange({}),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query, variables }) => ({
          subscribe: (sink) => {
            const end = socket.subscribe(
              { query: query ?? '', variables: variables as Record<string, unknown> },
              sink,
            );
            return { unsubscribe: end };
          },
        }),
      }),
    ],
  });
  return {
    client,
    close: () => {
      clearTimeout(awaited);
      // It waits for a connection that the server may not open: that is told elsewhere.
      void Promise.resolve(socket.dispose()).catch(() => undefined);
    },
  };
}

function isRefusal(event: unknown): boolean {
  return (event as CloseEvent | undefined)?.code === notLetIn;
}

export function isUnauthenticated({ graphQLErrors, response }: CombinedError): boolean {
  const status = (response as Response | undefined)?.status;
  return status === 401 || graphQLErrors.some((one) => one.extensions.code === 'UNAUTHENTICATED');
}

function pause(ms = 0): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
