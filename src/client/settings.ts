/** Where the server is, and how it is asked. */
import type { Subscribe } from './subscribe-types.ts';

export interface WinnowOptions {
  /** Absent: WINNOW_URL of the environment, else http://127.0.0.1:4000. */
  url?: string | undefined;
  /** Absent: WINNOW_API_KEY of the environment, else no key is sent. */
  apiKey?: string | undefined;
  /** Instead of the global fetch. */
  fetch?: typeof fetch | undefined;
  /**
   * Number of times in a row that something is sent again. Absent: 2, and 10 for `watch`, `results`
   * and a download that has begun, where whatever comes begins the count from the start.
   */
  maxRetries?: number | undefined;
  /** Milliseconds until an answer must be there, or a piece of it. Absent: 60,000. */
  timeoutMs?: number | undefined;
  /** Subscriptions over a client of graphql-ws, instead of server-sent events. */
  subscribe?: Subscribe | undefined;
}

export interface Settings {
  /** Without a slash at the end. */
  url: string;
  apiKey: string | null;
  fetch: typeof fetch;
  maxRetries: number;
  /** The same for streams of events and for outputs. */
  maxStreamRetries: number;
  timeoutMs: number;
  /** For operations that are answered at once: the server itself takes up to 60 s. */
  operationTimeoutMs: number;
  subscribe: Subscribe | null;
}

const defaultUrl = 'http://127.0.0.1:4000';
const defaultRetries = 2;
const defaultStreamRetries = 10;
const defaultTimeoutMs = 60_000;
const defaultOperationTimeoutMs = 75_000;

/** Throws TypeError for a URL that is not one. */
export function readSettings(options: WinnowOptions): Settings {
  const { maxRetries, timeoutMs } = options;
  const url = (options.url ?? variable('WINNOW_URL') ?? defaultUrl).replace(/\/+$/, '');
  if (!/^https?:\/\/[^/]/.test(url)) {
    throw new TypeError(`url must begin with http:// or https://, not ${JSON.stringify(url)}`);
  }
  return {
    url,
    apiKey: options.apiKey ?? variable('WINNOW_API_KEY') ?? null,
    // A browser's fetch refuses to be called as a method of something else.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    maxRetries: maxRetries ?? defaultRetries,
    maxStreamRetries: maxRetries ?? defaultStreamRetries,
    timeoutMs: timeoutMs ?? defaultTimeoutMs,
    operationTimeoutMs: timeoutMs ?? defaultOperationTimeoutMs,
    subscribe: options.subscribe ?? null,
  };
}

/** Undefined for an empty one, and where there is no environment. */
function variable(name: string): string | undefined {
  return runtime()?.env?.[name] || undefined;
}

interface Runtime {
  env?: Readonly<Record<string, string | undefined>>;
  versions?: Readonly<Record<string, string | undefined>>;
  getBuiltinModule?: (name: string) => unknown;
}

/** The process of Node, Deno or Bun. Undefined in a browser. */
export function runtime(): Runtime | undefined {
  return (globalThis as { process?: Runtime }).process;
}
