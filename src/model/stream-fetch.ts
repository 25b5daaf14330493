/**
 * A `fetch` for the openai package that streams both ways, for files of hundreds of megabytes; the
 * thin fetch of live calls holds whole bodies. What does not move for a while is given up: a day's
 * work must not hang on a connection that is gone.
 */
import { type Dispatcher, Pool } from 'undici';
import { follow } from '../core/deadline.ts';
import { BodyTooLarge, maxBodyBytes, openAiErrorBody, ThinHeaders } from './thin-fetch.ts';

const connectMs = 10_000;

/** Nothing was sent and nothing taken for `afterMs`. */
export class Stalled extends Error {
  override readonly name = 'Stalled';
  readonly afterMs: number;

  constructor(afterMs: number) {
    super(`Nothing moved for ${afterMs} ms.`);
    this.afterMs = afterMs;
  }
}

export interface StreamFetch {
  fetch: typeof globalThis.fetch;
  /** Ends the connections at once; calls in flight reject. */
  close(): Promise<void>;
}

/** A request's body: text, or chunks whose bytes add up to their content-length. */
type Sent = string | AsyncIterable<Uint8Array> | null;

/** Headers of a request's body, of the wanted answer and of its trace; others are configured. */
const described = ['accept', 'content-type', 'content-length', 'traceparent'];

/**
 * `fetch` for URLs of one origin. `headers` are sent, and of the package's own only those that
 * describe the body; redirects are answers, so that the key goes nowhere else. `body` of a response
 * is its chunks as they come, `text()` at most `maxBodyBytes` of it. Rejects with the signal's
 * reason, an undici error, Stalled, or BodyTooLarge.
 */
export function createStreamFetch({
  origin,
  headers,
  progressMs,
}: {
  origin: string;
  headers: Record<string, string>;
  /**
   * Time in which nothing may move: no chunk of the body taken by the provider, no headers and no
   * chunk of the answer come from it.
   */
  progressMs: number;
}): StreamFetch {
  const pool = new Pool(origin, {
    connections: null,
    // Progress is watched here: undici's own clocks also run while an upload moves, or while nobody
    // asks for more of a download.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: connectMs },
  });

  async function streamFetch(input: unknown, init: RequestInit = {}): Promise<object> {
    const url = String(input);
    const watch = watchProgress(progressMs, init.signal ?? null);
    try {
      const answer = await pool.request({
        path: url.slice(origin.length),
        method: (init.method ?? 'GET') as Dispatcher.HttpMethod,
        headers: { ...headers, ...pick(new Headers(init.headers)) },
        // undici takes any iterable; its types know only streams.
        body: watch.body((init.body ?? null) as Sent) as Dispatcher.DispatchOptions['body'],
        signal: watch.signal,
      });
      const ok = answer.statusCode >= 200 && answer.statusCode < 300;
      // Destroying a body that nobody listens to would be an uncaught error.
      answer.body.on('error', () => {});
      // Once, or each look at it would be another reader.
      const body = chunksOf(answer.body, progressMs);
      return {
        ok,
        status: answer.statusCode,
        url,
        headers: new ThinHeaders(answer.headers),
        body,
        text: async () => {
          const text = await readText(body);
          return ok ? text : openAiErrorBody(text);
        },
      };
    } finally {
      watch.stop();
    }
  }

  return {
    // The one cast: the package's type asks for a whole Response.
    fetch: streamFetch as unknown as typeof globalThis.fetch,
    close: () => pool.destroy(),
  };
}

function pick(given: Headers): Record<string, string> {
  return Object.fromEntries(
    described.flatMap((name) => {
      const value = given.get(name);
      return value === null ? [] : [[name, value]];
    }),
  );
}

/** Until the headers of the answer are there. */
function watchProgress(progressMs: number, signal: AbortSignal | null) {
  const { controller } = follow(signal);
  const timer = setTimeout(() => controller.abort(new Stalled(progressMs)), progressMs);

  async function* watched(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      timer.refresh();
      yield chunk;
    }
    timer.refresh();
  }

  return {
    // It follows the caller's signal until the body is through: its reader ends with the caller.
    signal: controller.signal,
    body: (sent: Sent) => (sent === null || typeof sent === 'string' ? sent : watched(sent)),
    stop: () => clearTimeout(timer),
  };
}

/** The clock stands still while nobody asks. Ends the connection where the reader leaves early. */
async function* chunksOf(
  body: Dispatcher.ResponseData['body'],
  progressMs: number,
): AsyncGenerator<Buffer> {
  const chunks: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const timer = setTimeout(() => body.destroy(new Stalled(progressMs)), progressMs);
      const next = await chunks.next().finally(() => clearTimeout(timer));
      if (next.done) return;
      yield next.value;
    }
  } finally {
    body.destroy();
  }
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBodyBytes) {
      throw new BodyTooLarge();
    }
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}
