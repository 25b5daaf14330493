/**
 * Winnow's own provider on loopback, answered by rules: OpenAI's chat completions, files and
 * batches, and Anthropic's messages and their batches. It is no model, and says so in its one
 * model's name, `rules`. The service speaks to it as to any provider; tests drive it to fail as
 * providers fail.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiError } from './api-error.ts';
import { type BatchOptions, createBatches, type SandboxBatches } from './batch/batches.ts';
import { type Exchange, readUrl } from './exchange.ts';
import {
  createDelays,
  createFaults,
  type Delay,
  type Fault,
  type FaultRequest,
  type Faults,
} from './faults.ts';
import { createJournal, type Requests } from './journal.ts';
import { createLive } from './live.ts';
import type { RateLimits } from './rate-limit.ts';
import { errorReply, send } from './reply.ts';
import { createRoutes } from './routes.ts';

export interface SandboxOptions {
  /** 0 takes a free one. */
  port?: number;
  host?: string;
  /** Every live answer waits so long. */
  latencyMs?: Delay;
  /**
   * Demanded when set: as `Authorization: Bearer …` of OpenAI's clients, as `x-api-key` of
   * Anthropic's.
   */
  apiKey?: string;
  /** Names it answers to. */
  models?: readonly string[];
  /**
   * Parameters to refuse with 400 unsupported_parameter, and `json_schema`, `json_object`: emulates
   * other servers.
   */
  refuse?: readonly string[];
  /** Of live requests; each provider's clients have their own buckets. */
  limits?: RateLimits;
  /** Longer prompts are context_length_exceeded. */
  contextTokens?: number;
  /**
   * Count repeated prefixes as cached tokens. Off by default: usage then depends on the order of
   * requests.
   */
  promptCache?: boolean;
  /** How batches move, and their limits. */
  batches?: BatchOptions;
  /** Hears of bugs in the sandbox itself, which are answered with 500. */
  onError?: (error: unknown) => void;
  /** Requests to keep for `requests.journal`. */
  journal?: number;
}

export interface Sandbox {
  /** The base URL for OpenAI's clients, ending in /v1. */
  readonly url: string;
  /** The base URL for Anthropic's clients, without /v1. */
  readonly anthropicUrl: string;
  /** Faults of live requests, and of the rows of batches. */
  readonly faults: Faults;
  /** Live requests: chat completions and messages. */
  readonly requests: Requests;
  readonly batches: SandboxBatches;
  /** Live requests received and not yet ended. */
  readonly inFlight: number;
  /** Sets other limits from now on, with full buckets; null for none. */
  limit(limits: RateLimits | null): void;
  /** Demands another key from now on, as when one is revoked; null for none. */
  demandKey(apiKey: string | null): void;
  /**
   * Resolves as soon as the condition holds; it is looked at after every arrival and end of a
   * request, and every step of a batch.
   */
  until(condition: (sandbox: Sandbox) => boolean): Promise<void>;
  /** Breaks what is open, and resolves when the port is free. */
  close(): Promise<void>;
}

/** Longer than any client keeps an idle connection, so that the client is the one to close it. */
const KEEP_ALIVE_MS = 120_000;
const DEFAULT_CONTEXT_TOKENS = 1_000_000;

export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { port = 0, host = '127.0.0.1', onError = () => {} } = options;
  const faults = createFaults<Fault, FaultRequest>();
  const journal = createJournal(options.journal ?? 0);
  const delay = createDelays(options.latencyMs ?? 0);
  const live = createLive({ faults, journal, delay, changed: notify });
  const batches = createBatches(options.batches ?? {}, { changed: notify, onError });
  const routes = createRoutes({
    live,
    batches,
    faults,
    changed: notify,
    models: options.models ?? ['rules'],
    refuse: new Set(options.refuse),
    contextTokens: options.contextTokens ?? DEFAULT_CONTEXT_TOKENS,
    promptCache: options.promptCache ?? false,
    batchLimits: options.batches ?? {},
    limits: options.limits ?? null,
  });
  const waiting = new Set<{ condition: (sandbox: Sandbox) => boolean; resolve: () => void }>();
  let { apiKey } = options;
  let number = 0;

  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_MS, noDelay: true },
    (request, response) => {
      const exchange = open(request, response);
      try {
        exchange.dialect.authorize(request, apiKey);
        routes.handle(exchange);
      } catch (error) {
        exchange.refuse(error);
      }
    },
  );

  function open(request: IncomingMessage, response: ServerResponse): Exchange {
    const requestId = `req_${(++number).toString(16).padStart(32, '0')}`;
    const { path, query } = readUrl(request.url ?? '/');
    const dialect = routes.dialectOf(path);
    return {
      request,
      response,
      path,
      query,
      requestId,
      dialect,
      refuse(error) {
        if (!(error instanceof ApiError)) onError(error);
        send(response, errorReply(error, requestId, dialect));
      },
    };
  }

  function origin(): string {
    return `http://${host}:${(server.address() as AddressInfo | null)?.port ?? port}`;
  }

  function notify(): void {
    for (const one of waiting) {
      if (!one.condition(sandbox)) continue;
      waiting.delete(one);
      one.resolve();
    }
  }

  const sandbox: Sandbox = {
    get url() {
      return `${origin()}/v1`;
    },
    get anthropicUrl() {
      return origin();
    },
    faults,
    requests: journal,
    batches,
    get inFlight() {
      return live.inFlight;
    },
    limit: routes.limit,
    demandKey(next) {
      apiKey = next ?? undefined;
    },
    until(condition) {
      if (condition(sandbox)) return Promise.resolve();
      return new Promise((resolve) => waiting.add({ condition, resolve }));
    },
    close() {
      batches.close();
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return sandbox;
}
