/** The body of a request at the pace at which it is taken, with an end to patience. */
import type { IncomingMessage } from 'node:http';
import { RouteError } from './route-error.ts';

/** A client that sends less on average over `memoryMs` is cut off, after the first `graceMs`. */
export const minBytesPerSecond = 1_024;
export const graceMs = 10_000;
const memoryMs = 30_000;
/** Time that a refused request may send on: some clients read the answer only then. */
export const lingerMs = 10_000;
/** One that nobody has let in may send no more than this. */
export const strangerBytes = 1_048_576;

export interface Patience {
  minBytesPerSecond: number;
  graceMs: number;
  memoryMs: number;
}

/**
 * The chunks of a body. Throws RouteError 408 for a client that is too slow, counting only the time
 * in which it is waited for, and `tooLarge()` behind `maxBytes`. A reader that stops early leaves
 * the request as it is, so that it can still be answered.
 */
export async function* received(
  request: IncomingMessage,
  {
    maxBytes,
    tooLarge,
    patience = { minBytesPerSecond, graceMs, memoryMs },
    withinMs = Number.POSITIVE_INFINITY,
  }: {
    maxBytes: number;
    tooLarge: () => Error;
    patience?: Patience | undefined;
    /** For all of it. */
    withinMs?: number;
  },
): AsyncGenerator<Buffer, void, undefined> {
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  const endsAt = performance.now() + withinMs;
  let creditMs = patience.graceMs;
  let bytes = 0;
  let isWaiting = false;
  try {
    for (;;) {
      const startedAt = performance.now();
      isWaiting = true;
      const next = await withinTime(chunks.next(), Math.min(creditMs, endsAt - startedAt));
      isWaiting = false;
      if (next.done) return;
      const chunk = next.value;
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge();
      creditMs += (chunk.length / patience.minBytesPerSecond) * 1_000;
      creditMs = Math.min(patience.memoryMs, creditMs - (performance.now() - startedAt));
      yield chunk;
    }
  } finally {
    // One that is still waited for would keep the iterator from ending; it ends with the request.
    if (!isWaiting) await chunks.return?.();
  }
}

async function withinTime<Value>(promise: Promise<Value>, timeMs: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new RouteError(
            408,
            'REQUEST_TIMEOUT',
            `The body comes too slowly, and the upload was given up; send at least ${minBytesPerSecond.toLocaleString('en')} bytes a second`,
          ),
        ),
      Math.max(0, timeMs),
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    promise.catch(() => undefined); // It may fail when nobody waits for it any more.
  }
}

/** Time between looks at the pace of a body that somebody else reads, and its time in all. */
const defaultLookEveryMs = 1_000;
export const wholeBodyMs = 60_000;
const tooSlowToRead = `The body comes too slowly; send at least ${minBytesPerSecond.toLocaleString('en')} bytes a second, and all of it within a minute`;

/** Calls `giveUp` once, with a 408, when a body is too slow or takes more than a minute. */
export function limitPace(
  request: IncomingMessage,
  giveUp: (error: RouteError) => void,
  { lookEveryMs = defaultLookEveryMs, wholeMs = wholeBodyMs } = {},
): void {
  const { socket } = request;
  const startedAt = performance.now();
  const bytesBefore = socket.bytesRead;
  const timer = setInterval(() => {
    if (request.complete || request.destroyed) {
      clearInterval(timer);
      return;
    }
    const tookMs = performance.now() - startedAt;
    const earnedMs = ((socket.bytesRead - bytesBefore) / minBytesPerSecond) * 1_000;
    if (tookMs < wholeMs && tookMs < graceMs + earnedMs) return;
    clearInterval(timer);
    giveUp(new RouteError(408, 'REQUEST_TIMEOUT', tooSlowToRead));
  }, lookEveryMs);
  timer.unref();
  request.once('close', () => clearInterval(timer));
}

/**
 * Reads on and forgets what a refused request still sends, for a while and up to `maxBytes`: a
 * connection that is closed over unread bytes loses the answer too.
 */
export function letRunOut(request: IncomingMessage, maxBytes = Number.POSITIVE_INFINITY): void {
  if (request.complete || request.destroyed) return;
  const { socket } = request;
  const bytesBefore = socket.bytesRead;
  const count = () => {
    if (socket.bytesRead - bytesBefore > maxBytes) request.destroy();
  };
  if (maxBytes < Number.POSITIVE_INFINITY) socket.on('data', count);
  request.resume();
  const timer = setTimeout(() => request.destroy(), lingerMs);
  timer.unref();
  const stop = () => {
    clearTimeout(timer);
    socket.off('data', count);
  };
  request.once('close', stop);
  request.once('end', stop);
}
