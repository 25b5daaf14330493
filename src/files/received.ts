/** The body of a request at the pace at which it is taken, with an end to patience. */
import type { IncomingMessage } from 'node:http';
import { RouteError } from './route-error.ts';

/** A client is cut off that sends less than this on average, over `memoryMs` at most; the first `graceMs` are free. */
const minBytesPerSecond = 1_024;
const graceMs = 10_000;
const memoryMs = 30_000;
/** A request that was refused may send on for so long, so that the answer reaches a client that reads it only then. */
const lingerMs = 10_000;

export interface Patience {
  minBytesPerSecond: number;
  graceMs: number;
  memoryMs: number;
}

/**
 * The chunks of a body. Throws RouteError 408 for a client that is too slow, counting only the time in which it is waited for, and `tooLarge()`
 * behind `maxBytes`. A reader that stops early leaves the request as it is, so that it can still be answered.
 */
export async function* received(
  request: IncomingMessage,
  {
    maxBytes,
    tooLarge,
    patience = { minBytesPerSecond, graceMs, memoryMs },
  }: { maxBytes: number; tooLarge: () => Error; patience?: Patience | undefined },
): AsyncGenerator<Buffer, void, undefined> {
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  let creditMs = patience.graceMs;
  let bytes = 0;
  let isWaiting = false;
  try {
    for (;;) {
      const startedAt = performance.now();
      isWaiting = true;
      const next = await withinTime(chunks.next(), creditMs);
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
            'The body comes too slowly; the upload was given up',
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

/** Reads on and forgets what a refused request still sends, for a while: a connection that is closed over unread bytes loses the answer too. */
export function letRunOut(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  request.resume();
  const timer = setTimeout(() => request.destroy(), lingerMs);
  timer.unref();
  request.once('close', () => clearTimeout(timer));
  request.once('end', () => clearTimeout(timer));
}
