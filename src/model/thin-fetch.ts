/**
 * A `fetch` for the packages over one undici Pool, at less than half of the CPU of the default one.
 * The whole body is read under the caller's signal, up to a limit, before the response is there.
 */
import { buildConnector, type Dispatcher, Pool } from 'undici';
import type { CallSignal } from '../core/deadline-clock.ts';
import { isRecord } from '../core/json.ts';
import { countConnecting } from './connecting.ts';
import type { Connecting } from './model.ts';

/** An answer of 128,000 tokens with log-probabilities is about 10 MB; more is a fault. */
export const maxBodyBytes = 20 * 1024 * 1024;

/** Until a connection stands; the deadline of the whole call goes on beside it. */
const maxConnectMs = 10_000;

/** The body was longer than `maxBodyBytes`. */
export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';

  constructor() {
    super(`The body is longer than ${maxBodyBytes} bytes.`);
  }
}

/** No connection came about, and so nothing of the request was sent. `reason` is undici's error. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
  /** Not the cause: the packages look into that for timeouts, and keep nothing else of them. */
  readonly reason: Error;

  constructor(reason: Error) {
    super('Nothing was sent.');
    this.reason = reason;
  }
}

export interface ThinFetch {
  fetch: typeof globalThis.fetch;
  connecting: Connecting;
  /** Ends the connections at once; calls in flight reject. */
  close(): Promise<void>;
}

/** As much of a request as is sent: of its headers the trace alone. */
interface ThinRequest {
  method?: string;
  headers?: unknown;
  body?: unknown;
  signal?: CallSignal | null;
}

/** As much of a Response as the packages read. */
interface ThinResponse {
  ok: boolean;
  status: number;
  /** Empty: the packages need it for log lines that are never printed. */
  url: '';
  headers: ThinHeaders;
  body: null;
  text(): Promise<string>;
}

/** Headers as undici gives them. */
type GivenHeaders = Record<string, string | string[] | undefined>;

/** As much of Headers as the packages and this folder read. Names are lower case. */
export class ThinHeaders {
  /** Hidden: the packages look through all that they see here for what they would log. */
  readonly #given: GivenHeaders;

  constructor(given: GivenHeaders) {
    this.#given = given;
  }

  /** The first value of a repeated header. */
  get(name: string): string | null {
    const value = Object.hasOwn(this.#given, name) ? this.#given[name] : undefined;
    return (Array.isArray(value) ? value[0] : value) ?? null;
  }

  /** Nothing: only log lines need them. */
  entries(): Iterable<[string, string]> {
    return [];
  }
}

/**
 * `fetch` for URLs of one origin. Exactly `headers` are sent (and content-length), and of those
 * that it is given `traceparent` alone: the packages add the platform, and headers of organisation,
 * project and others that they read from the environment, which are another provider's business.
 *
 * The number of connections is not limited here: the gates limit calls, and a call that waited
 * inside the pool would spend its deadline there. Rejects with the signal's reason, an undici
 * error, NotSent, or BodyTooLarge.
 */
export function createThinFetch({
  origin,
  headers,
  timeoutMs,
}: {
  origin: string;
  headers: Record<string, string>;
  /** Time of a whole call; only bounds the time to connect here. */
  timeoutMs: number;
}): ThinFetch {
  const { connector, connecting } = countConnecting(
    buildConnector({ timeout: Math.min(timeoutMs, maxConnectMs) }),
  );
  const pool = new Pool(origin, {
    connections: null,
    // The signal is the one deadline; undici's own two would be a second opinion.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: connector,
  });

  function thinFetch(
    input: unknown,
    { method = 'GET', headers: given, body, signal = null }: ThinRequest = {},
  ): Promise<ThinResponse> {
    return new Promise((resolve, reject) => {
      const exchange = new Exchange(signal, resolve, reject);
      const request = {
        path: String(input).slice(origin.length),
        method: method as Dispatcher.HttpMethod,
        headers: withTrace(headers, given),
        body: typeof body === 'string' ? body : null,
      };
      if (exchange.begin()) pool.dispatch(request, exchange);
    });
  }

  return {
    // The one cast: the packages' types ask for a whole Response.
    fetch: thinFetch as unknown as typeof globalThis.fetch,
    connecting,
    close: () => pool.destroy(),
  };
}

/** The trace is of each call; all other headers are the configuration's. */
function withTrace(headers: Record<string, string>, given: unknown): Record<string, string> {
  const traceparent = given instanceof Headers ? given.get('traceparent') : null;
  return traceparent === null ? headers : { ...headers, traceparent };
}

/** One request under way, without the stream that undici's `request` would make of its answer. */
class Exchange implements Dispatcher.DispatchHandler {
  private readonly signal: CallSignal | null;
  private readonly resolve: (response: ThinResponse) => void;
  private readonly reject: (error: unknown) => void;
  private controller: Dispatcher.DispatchController | null = null;
  /** Why the request is given up; null while it is not. */
  private failure: Error | null = null;
  private status = 0;
  private headers: ThinHeaders = noHeaders;
  private chunks: Buffer[] = [];
  private size = 0;

  constructor(
    signal: CallSignal | null,
    resolve: (response: ThinResponse) => void,
    reject: (error: unknown) => void,
  ) {
    this.signal = signal;
    this.resolve = resolve;
    this.reject = reject;
  }

  /** False where the signal has aborted already. */
  begin(): boolean {
    if (this.signal?.aborted) this.onAbort();
    else this.signal?.addEventListener('abort', this.onAbort);
    return this.failure === null;
  }

  private readonly onAbort = (): void => {
    const reason: unknown = this.signal?.reason;
    this.giveUp(reason instanceof Error ? reason : new Error('The call was aborted.'));
  };

  /** Before undici knows of a connection, it is told when it does. */
  private giveUp(failure: Error): void {
    this.failure = failure;
    this.onResponseError(this.controller, failure);
    this.controller?.abort(failure);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.failure) controller.abort(this.failure);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: GivenHeaders,
  ): void {
    this.status = status;
    this.headers = new ThinHeaders(headers);
    if (Number(headers['content-length']) > maxBodyBytes) this.giveUp(new BodyTooLarge());
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.size += chunk.length;
    if (this.size <= maxBodyBytes) this.chunks.push(chunk);
    else if (!this.failure) this.giveUp(new BodyTooLarge());
  }

  onResponseEnd(): void {
    this.signal?.removeEventListener('abort', this.onAbort);
    const { status, headers } = this;
    const ok = status >= 200 && status < 300;
    const text = textOf(this.chunks);
    const body = ok ? text : openAiErrorBody(text);
    this.resolve({ ok, status, url: '', headers, body: null, text: () => Promise.resolve(body) });
  }

  onResponseError(_controller: unknown, error: Error): void {
    this.signal?.removeEventListener('abort', this.onAbort);
    this.chunks = [];
    this.reject(this.controller || error === this.failure ? error : new NotSent(error));
  }
}

function textOf(chunks: readonly Buffer[]): string {
  const text = (chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))?.toString('utf8') ?? '';
  // JSON.parse takes no byte order mark, and some proxies send one.
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

const noHeaders = new ThinHeaders({});

/**
 * An error body in OpenAI's shape, `{error: {message, code, type, param}}`, whatever the server's
 * own is, because the openai package keeps nothing else: `{error: "text"}` (Ollama), the error
 * itself at the root (older vLLM), FastAPI's `{detail: [{loc, msg, type}]}` (Mistral). A body that
 * is not JSON has no message worth showing.
 */
export function openAiErrorBody(text: string): string {
  try {
    return JSON.stringify({ error: openAiError(JSON.parse(text)) });
  } catch {
    return JSON.stringify({ error: { message: '' } });
  }
}

/** The `error` of a parsed error body in any of these shapes, with an empty message in others. */
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
