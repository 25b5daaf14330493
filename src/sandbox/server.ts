/**
 * Winnow's own provider: OpenAI's chat completions over HTTP on loopback, answered by rules. It is no model, and says so
 * in its one model's name, `rules`. The service speaks to it as to any provider; tests drive it to fail as providers fail.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiError } from './api-error.ts';
import { type ChatRequest, createRequestParser, unknownModel } from './chat-request.ts';
import { createCompleter } from './completion.ts';
import { createDelays, createFaults, type Delay, type Faults, isContentFault } from './faults.ts';
import { authorize, lastText, readJson, receive } from './incoming.ts';
import { createJournal, type JournalEntry, type Requests } from './journal.ts';
import { createRateLimiter, type RateLimiter, type RateLimits } from './rate-limit.ts';
import { errorReply, fail, json, type Reply, send } from './reply.ts';
import { createRules } from './rules/answer.ts';
import { estimatePromptTokens } from './tokens.ts';

export interface SandboxOptions {
  /** 0 takes a free one. */
  port?: number;
  host?: string;
  /** Every answer waits so long. */
  latencyMs?: Delay;
  /** Demanded as `Authorization: Bearer …` when set. */
  apiKey?: string;
  /** Names it answers to. */
  models?: readonly string[];
  /** Parameters to refuse with 400 unsupported_parameter, and `json_schema`, `json_object`: emulates other servers. */
  refuse?: readonly string[];
  limits?: RateLimits;
  /** Longer prompts are context_length_exceeded. */
  contextTokens?: number;
  /** Count repeated prefixes as cached tokens. Off by default: usage then depends on the order of requests. */
  promptCache?: boolean;
  /** Hears of bugs in the sandbox itself, which are answered with 500. */
  onError?: (error: unknown) => void;
  /** Requests to keep for `requests.journal`. */
  journal?: number;
}

export interface Sandbox {
  /** The base URL for a client, ending in /v1. */
  readonly url: string;
  readonly faults: Faults;
  readonly requests: Requests;
  /** Chat completions received and not yet ended. */
  readonly inFlight: number;
  /** Sets other limits from now on, with full buckets; null for none. */
  limit(limits: RateLimits | null): void;
  /** Resolves as soon as the condition holds; it is looked at after every request's arrival and end. */
  until(condition: (sandbox: Sandbox) => boolean): Promise<void>;
  /** Breaks what is open, and resolves when the port is free. */
  close(): Promise<void>;
}

/** Longer than any client keeps an idle connection, so that the client is the one to close it. */
const KEEP_ALIVE_MS = 120_000;
const DEFAULT_CONTEXT_TOKENS = 1_000_000;

export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const {
    port = 0,
    host = '127.0.0.1',
    apiKey,
    models = ['rules'],
    refuse: refused = [],
    onError,
    latencyMs = 0,
    promptCache = false,
  } = options;
  const started = Math.floor(Date.now() / 1_000);
  const faults = createFaults();
  const requests = createJournal(options.journal ?? 0);
  const parse = createRequestParser({ models, refuse: new Set(refused) });
  const complete = createCompleter({
    rules: createRules(),
    contextTokens: options.contextTokens ?? DEFAULT_CONTEXT_TOKENS,
    promptCache,
  });
  const delay = createDelays(latencyMs);
  const waiting = new Set<{ condition: (sandbox: Sandbox) => boolean; resolve: () => void }>();
  const clock = () => performance.now();
  let limiter: RateLimiter | null = options.limits
    ? createRateLimiter(options.limits, clock)
    : null;
  let inFlight = 0;
  let number = 0;

  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_MS, noDelay: true },
    (request, response) => {
      const requestId = `req_${(++number).toString(16).padStart(32, '0')}`;
      const path = (request.url ?? '/').split('?', 1)[0] as string;
      try {
        if (apiKey !== undefined) authorize(request, apiKey);
        if (request.method === 'POST' && path === '/v1/chat/completions') {
          receive(request, response, (text) => chat(text, request, response, requestId));
        } else if (
          request.method === 'GET' &&
          (path === '/v1/models' || path.startsWith('/v1/models/'))
        ) {
          send(response, json(200, modelList(path), { 'x-request-id': requestId }));
        } else {
          throw new ApiError(`Unknown request URL: ${request.method} ${path}.`, {
            status: 404,
            code: 'unknown_url',
          });
        }
      } catch (error) {
        refuse(error, response, requestId);
      }
    },
  );

  function refuse(error: unknown, response: ServerResponse, requestId: string): void {
    if (!(error instanceof ApiError)) onError?.(error);
    send(response, errorReply(error, requestId));
  }

  function modelList(path: string): object {
    const list = models.map((id) => ({
      id,
      object: 'model',
      created: started,
      owned_by: 'winnow',
    }));
    if (path === '/v1/models') return { object: 'list', data: list };
    const wanted = decodeURIComponent(path.slice('/v1/models/'.length));
    const found = list.find(({ id }) => id === wanted);
    if (!found) throw unknownModel(wanted);
    return found;
  }

  function chat(
    text: string,
    request: IncomingMessage,
    response: ServerResponse,
    requestId: string,
  ): void {
    const own = number;
    const { body, malformed } = readJson(text);
    const entry = requests.received(malformed ? text : body, request.headers);
    inFlight++;
    const fate = faults.empty
      ? null
      : faults.decide({ body, text: lastText(body), number: requests.count });
    const waitMs = delay() + (fate?.latencyMs ?? 0);
    let timer: NodeJS.Timeout | undefined;
    response.once('close', () => {
      clearTimeout(timer);
      ended(entry, response);
    });
    notify();

    const good = (content: boolean): Reply => {
      if (malformed)
        throw new ApiError(
          "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)",
        );
      const parsed = parse(body);
      const headers = limiter?.take(estimatedTokens(parsed)) ?? {};
      const fault = content && fate?.fault && isContentFault(fate.fault) ? fate.fault : null;
      const completion = complete(parsed, {
        id: `chatcmpl-${own.toString(36).padStart(24, '0')}`,
        created: Math.floor(Date.now() / 1_000),
        fault,
      });
      return json(200, completion, {
        'x-request-id': requestId,
        'openai-version': '2020-10-01',
        ...headers,
      });
    };
    const answer = (): void => {
      if (response.destroyed) return;
      try {
        const fault = fate?.fault ?? null;
        if (fault && !isContentFault(fault)) fail(response, fault, requestId, () => good(false));
        else send(response, good(true));
      } catch (error) {
        refuse(error, response, requestId);
      }
    };
    if (waitMs > 0) timer = setTimeout(answer, waitMs);
    else answer();
  }

  function ended(entry: JournalEntry | null, response: ServerResponse): void {
    inFlight--;
    requests.ended(entry, response.writableFinished ? response.statusCode : null);
    notify();
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
      return `http://${host}:${(server.address() as AddressInfo | null)?.port ?? port}/v1`;
    },
    faults,
    requests,
    get inFlight() {
      return inFlight;
    },
    limit(limits) {
      limiter = limits ? createRateLimiter(limits, clock) : null;
    },
    until(condition) {
      if (condition(sandbox)) return Promise.resolve();
      return new Promise((resolve) => waiting.add({ condition, resolve }));
    },
    close() {
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

/** What the limiter takes for a request before it is answered: its prompt, and what it may say. */
function estimatedTokens({ messages, maxTokens }: ChatRequest): number {
  return estimatePromptTokens(messages) + (maxTokens ?? 16);
}
