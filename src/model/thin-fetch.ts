/**
 * A `fetch` for the openai package over one undici Pool: less than half of the CPU of the package with the default fetch (on Node 26,
 * one call with 64 at once: 140 to 190 microseconds against 320 to 430), and with what that lacks: the whole body is
 * read under the caller's signal before the response is handed over, and its size is capped.
 */
import { type Dispatcher, Pool } from 'undici';
import { isRecord } from '../core/json-record.ts';

/** An answer of 128,000 tokens with log-probabilities is about 10 MB; more is a fault. */
export const maxBodyBytes = 20 * 1024 * 1024;

/** Until a connection stands; the deadline of the whole call goes on beside it. */
const maxConnectMs = 10_000;

/** The body was longer than `maxBodyBytes`. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
}

export interface ThinFetch {
  fetch: typeof globalThis.fetch;
  /** Ends the connections at once; calls in flight reject. */
  close(): Promise<void>;
}

/** As much of a Response as the openai package reads. */
interface ThinResponse {
  ok: boolean;
  status: number;
  url: string;
  headers: ThinHeaders;
  body: null;
  text(): Promise<string>;
}

/** As much of Headers as the openai package and `parseRetryAfter` read. Names are lower case. */
interface ThinHeaders {
  get(name: string): string | null;
  entries(): Iterable<[string, string]>;
}

/**
 * `fetch` for URLs of one origin. Exactly `headers` are sent (and content-length), not those that it is given: the openai package adds the
 * platform, and organisation, project and custom headers that it reads from the environment, which are no other provider's business.
 *
 * The number of connections is not limited here: the gates limit calls, and a call that waited inside the
 * pool would spend its deadline there. Rejects with the signal's reason, an undici error, or BodyTooLarge.
 */
export function createThinFetch({
  origin,
  headers,
  timeoutMs,
}: {
  origin: string;
  headers: Record<string, string>;
  /** Of a whole call; only bounds the time to connect here. */
  timeoutMs: number;
}): ThinFetch {
  const pool = new Pool(origin, {
    connections: null,
    // The signal is the one deadline; undici's own two would be a second opinion.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: Math.min(timeoutMs, maxConnectMs) },
  });

  async function thinFetch(input: unknown, init: RequestInit = {}): Promise<ThinResponse> {
    const url = String(input);
    const answer = await pool.request({
      path: url.slice(origin.length),
      method: (init.method ?? 'GET') as Dispatcher.HttpMethod,
      headers,
      body: typeof init.body === 'string' ? init.body : null,
      signal: init.signal ?? null,
    });
    const text = await readText(answer.body, answer.headers['content-length']);
    const ok = answer.statusCode >= 200 && answer.statusCode < 300;
    return {
      ok,
      status: answer.statusCode,
      url,
      headers: thinHeaders(answer.headers),
      body: null,
      text: () => Promise.resolve(ok ? text : openAiErrorBody(text)),
    };
  }

  return {
    // The one cast: the package's type asks for a whole Response.
    fetch: thinFetch as unknown as typeof globalThis.fetch,
    close: () => pool.destroy(),
  };
}

async function readText(
  body: Dispatcher.ResponseData['body'],
  contentLength: string | string[] | undefined,
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  const tooLarge = () => {
    body.destroy();
    return new BodyTooLarge(`The body is longer than ${maxBodyBytes} bytes.`);
  };
  // Destroying a body that nobody listens to would be an uncaught error.
  body.on('error', () => {});
  if (Number(contentLength) > maxBodyBytes) throw tooLarge();
  await new Promise<void>((resolve, reject) => {
    body.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBodyBytes) reject(tooLarge());
      else chunks.push(chunk);
    });
    body.on('end', resolve);
    body.on('error', reject);
  });
  const text = (chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))?.toString('utf8') ?? '';
  // JSON.parse takes no byte order mark, and some proxies send one.
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** Headers as undici hands them over, of repeated ones the first. */
export function thinHeaders(headers: Record<string, string | string[] | undefined>): ThinHeaders {
  const first = (name: string) => {
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
    return (Array.isArray(value) ? value[0] : value) ?? null;
  };
  return {
    get: first,
    entries: () => Object.keys(headers).map((name): [string, string] => [name, first(name) ?? '']),
  };
}

/**
 * An error body in OpenAI's shape, `{error: {message, code, type, param}}`, whatever the server's own is, because the openai
 * package keeps nothing else: `{error: "text"}` (Ollama), the error itself at the root (older vLLM), FastAPI's `{detail: [{loc, msg, type}]}`
 * (Mistral). What is not JSON has no message worth showing.
 */
export function openAiErrorBody(text: string): string {
  try {
    return JSON.stringify({ error: openAiError(JSON.parse(text)) });
  } catch {
    return JSON.stringify({ error: { message: '' } });
  }
}

/** The `error` of an error body in any of these shapes, parsed already; without a message where it is no object. */
export function openAiError(body: unknown): Record<string, unknown> {
  // Google's compatible endpoint answers [{error}].
  const root: unknown = Array.isArray(body) ? body[0] : body;
  if (!isRecord(root)) return { message: '' };
  if (isRecord(root.error)) return root.error;
  if (typeof root.error === 'string') return { ...root, message: root.message ?? root.error };
  if (root.detail !== undefined) return fromDetail(root.detail);
  return root;
}

function fromDetail(detail: unknown): Record<string, unknown> {
  const first = Array.isArray(detail) ? detail[0] : detail;
  if (!isRecord(first)) return { message: typeof first === 'string' ? first : '' };
  const loc = Array.isArray(first.loc) ? first.loc : [];
  return {
    message: first.msg ?? first.message ?? '',
    code: first.type ?? first.code ?? null,
    param: loc.filter((part) => part !== 'body').join('.') || null,
  };
}
