/** The end of a server in order: what is under way is waited for, what comes is turned away. */
import type { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { requestIdOf } from './request-id.ts';
import { RouteError } from './route-error.ts';

export interface Drain {
  /** Counts an answer as under way until it is closed. */
  add(response: ServerResponse): void;
  /** The error for a new request, whose connection then ends; null before it has begun. */
  refusal(response: ServerResponse): RouteError | null;
  /**
   * Begins. Resolves once nothing is under way; after `graceMs` it cuts off what is. Called again
   * with 0 it hurries up.
   */
  begin(graceMs: number): Promise<void>;
}

function unavailable(requestId: string): string {
  return [
    'HTTP/1.1 503 Service Unavailable',
    'connection: close',
    'retry-after: 1',
    'content-length: 0',
    `x-request-id: ${requestId}`,
    '\r\n',
  ].join('\r\n');
}

/** Node closes a connection that is idle so much later than it says. */
const keepAliveBufferMs = 1_000;

/**
 * For at least `lingerMs` requests are turned away: a proxy that learns the end from a refusal
 * sends nothing more, while a request that meets a closing connection would be lost. So idle
 * connections are not closed either: each is told with its next answer, or runs out. With 0 there
 * is nobody to wait for.
 */
export function createDrain(http: Server, lingerMs: number): Drain {
  const open = new Set<ServerResponse>();
  let connections = 0;
  let unconnected: (() => void) | null = null;
  http.on('connection', (socket) => {
    connections++;
    socket.once('close', () => {
      connections--;
      if (connections === 0) unconnected?.();
    });
  });
  let empty: (() => void) | null = null;
  let drained: Promise<unknown> | null = null;
  const lingering = new AbortController();

  function begin(): Promise<void> {
    // The connection of an answer under way would bring the next request here again.
    for (const response of open) closeAfter(response);
    http.removeAllListeners('upgrade');
    http.on('upgrade', ({ headers }, socket: Duplex) =>
      socket.end(unavailable(requestIdOf(headers))),
    );
    if (open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      empty = resolve;
    });
  }

  async function linger(): Promise<void> {
    if (lingerMs === 0) return;
    const { signal } = lingering;
    await pause(lingerMs, null, { signal }).catch(() => undefined); // in a hurry
    if (connections === 0) return;
    const none = new AbortController();
    unconnected = () => none.abort();
    const either = AbortSignal.any([signal, none.signal]);
    await pause(http.keepAliveTimeout + keepAliveBufferMs, null, { signal: either }).catch(
      () => undefined,
    );
  }

  return {
    add(response) {
      open.add(response);
      response.once('close', () => {
        open.delete(response);
        if (open.size === 0) empty?.();
      });
    },
    refusal(response) {
      if (drained === null) return null;
      closeAfter(response);
      return new RouteError(
        503,
        'SHUTTING_DOWN',
        'This process is about to end; another one, or this one once it is back, takes the request',
      );
    },
    async begin(graceMs) {
      if (graceMs === 0) lingering.abort();
      drained ??= Promise.all([begin(), linger()]);
      const timer = setTimeout(() => {
        for (const response of open) response.destroy();
      }, graceMs);
      await drained.finally(() => clearTimeout(timer));
    },
  };
}

function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}
