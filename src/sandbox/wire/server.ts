/**
 * Winnow's own provider on loopback, which answers by rules: OpenAI's chat completions, files and
 * batches, and Anthropic's messages and their batches. The sandbox is not a model, and says so in
 * the name of its one model, `rules`. The service speaks to it as to any provider.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiError } from './api-error.ts';
import { type BatchOptions, createBatches, type DrivenBatches } from './batch/batches.ts';
import type { Equipment } from './equipment.ts';
import { type Exchange, readUrl } from './exchange.ts';
import { errorReply, send } from './reply.ts';
import { createRoutes } from './routes.ts';

export interface SandboxOptions {
  /** 0 takes a free one. */
  port?: number;
  host?: string;
  /**
   * The key that requests must have: OpenAI's clients in `Authorization: Bearer …`, Anthropic's in
   * `x-api-key`. Absent: none.
   */
  apiKey?: string;
  /** Names it answers to. */
  models?: readonly string[];
  /**
   * Parameters to refuse with 400 unsupported_parameter, and `json_schema`, `json_object`: emulates
   * other servers.
   */
  refuse?: readonly string[];
  /** Longer prompts are context_length_exceeded. */
  contextTokens?: number;
  /**
   * Counts repeated prefixes as cached tokens. Off by default: usage then depends on the order of
   * requests.
   */
  promptCache?: boolean;
  /** Pace and limits of batches. */
  batches?: BatchOptions;
  /** Hears of bugs in the sandbox itself, which are answered with 500. */
  onError?: (error: unknown) => void;
}

export interface Sandbox {
  /** The base URL for OpenAI's clients, ending in /v1. */
  readonly url: string;
  /** The base URL for Anthropic's clients, without /v1. */
  readonly anthropicUrl: string;
  readonly batches: DrivenBatches;
  /** Demands another key from now on, as when one is revoked; null for none. */
  demandKey(apiKey: string | null): void;
  /** Breaks what is open, and resolves when the port is free. */
  close(): Promise<void>;
}

/** Longer than any client keeps an idle connection, so that the client is the one to close it. */
const keepAliveMs = 120_000;
const defaultContextTokens = 1_000_000;

/** `equipment` makes the sandbox fail; production hands none. */
export async function startSandbox(
  options: SandboxOptions = {},
  equipment: Equipment | null = null,
): Promise<Sandbox> {
  const { port = 0, host = '127.0.0.1', onError = () => {} } = options;
  const changed = (): void => equipment?.changed();
  const batches = createBatches(options.batches ?? {}, { changed, onError });
  const routes = createRoutes({
    batches,
    models: options.models ?? ['rules'],
    refuse: new Set(options.refuse),
    contextTokens: options.contextTokens ?? defaultContextTokens,
    promptCache: options.promptCache ?? false,
    batchLimits: options.batches ?? {},
    equipment,
  });
  let { apiKey } = options;
  let number = 0;

  const server = createServer(
    { keepAliveTimeout: keepAliveMs, noDelay: true },
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

  const sandbox: Sandbox = {
    get url() {
      return `${origin()}/v1`;
    },
    get anthropicUrl() {
      return origin();
    },
    batches,
    demandKey(next) {
      apiKey = next ?? undefined;
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
