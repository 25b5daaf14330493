/**
 * Speaks the chat completions protocol of OpenAI, which most providers and local servers also speak, through the openai package.
 *
 * The package's retries, time limit and headers are off: it retries what costs money (insufficient_quota), ignores long
 * Retry-Afters, and takes HTML with status 200 for an answer. What is left of it is the protocol and its types of errors.
 */
import { setMaxListeners } from 'node:events';
import type OpenAI from 'openai';
import { readAnswer } from '../answer.ts';
import { batchRequest } from '../default-temperature.ts';
import { normalizeBaseUrl, requestHeaders, showsSchemas } from '../endpoint.ts';
import { estimateTokens } from '../estimate.ts';
import { classify, toRefusal } from '../failure.ts';
import { readRateHeaders } from '../limits/rate-headers.ts';
import {
  type Gate,
  type Log,
  type Model,
  ModelError,
  type ModelRequest,
  type Permit,
  type ProviderConfig,
  type Tokens,
} from '../model.ts';
import { createPrices } from '../prices.ts';
import { quote, secretsOf } from '../redact.ts';
import { maxRetryAfterMs, parseRetryAfter } from '../retry-after.ts';
import { createThinFetch, type ThinFetch } from '../thin-fetch.ts';
import { timedOut } from '../transport.ts';
import { type BatchConnection, connectBatches } from './batch-connection.ts';
import { createOpenAiBatches } from './batches.ts';
import { ChatClient } from './chat-client.ts';
import { isStatusError, translateTransport } from './failure.ts';
import { anyParams, createHabits } from './habits.ts';
import { buildRequestBody } from './request-body.ts';

/** One provider's connections, shared by its models. */
export interface Connection {
  readonly config: ProviderConfig;
  readonly client: OpenAI;
  /** Null where the configuration says that there is no batch API. */
  readonly batches: BatchConnection | null;
  close(): Promise<void>;
}

/** The largest delay a timer takes; the package's own time limit cannot be switched off. */
const never = 2 ** 31 - 1;

/** Connects lazily. Throws an Error where the base URL, the key or a header cannot be used at all. */
export function connect(config: ProviderConfig, timeoutMs: number): Connection {
  const baseUrl = normalizeBaseUrl(config.baseUrl);
  const thin: ThinFetch = createThinFetch({
    origin: new URL(baseUrl).origin,
    headers: requestHeaders(config),
    timeoutMs,
  });
  const client = new ChatClient({
    baseURL: baseUrl,
    defaultQuery: config.query,
    // The package wants one; the real key goes out with the thin fetch's headers and is never in the package's reach.
    apiKey: 'unused',
    // Null, or the package reads them from the environment.
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    timeout: never,
    // At OPENAI_LOG=debug it would log prompts.
    logLevel: 'off',
    fetch: thin.fetch,
  });
  const batches = config.batches === false ? null : connectBatches(config, { timeoutMs });
  return {
    config,
    client,
    batches,
    close: async () => {
      await Promise.all([thin.close(), batches?.close()]);
    },
  };
}

/** The model `name` of a connected provider. What it refuses is remembered here, so one Model per name is kept. */
export function createModel({
  connection,
  name,
  gate,
  timeoutMs,
  log,
}: {
  connection: Connection;
  name: string;
  gate: Gate;
  /** One deadline over everything that a send does, headers and body, the request sent again included. */
  timeoutMs: number;
  log: Log | null;
}): Model {
  const { config, client } = connection;
  const provider = config.name;
  const id = `${provider}/${name}`;
  const prices = createPrices(provider, name);
  const habits = createHabits(
    provider === 'openai' ? 'max_completion_tokens' : 'max_tokens',
    showsSchemas(config),
  );
  const secrets = secretsOf(config);

  const bodyOf = (request: ModelRequest) => buildRequestBody(name, request, habits).body;

  /** Sends, and sends again while the model refuses something that can be left out. Returns the body as it came. */
  async function exchange(
    request: ModelRequest,
    { signal, permit }: { signal: AbortSignal; permit: Permit },
  ): Promise<string> {
    const learned = new Set<string>();
    for (;;) {
      const { body, own } = buildRequestBody(name, request, habits);
      permit.begin(() => estimateTokens(request));
      try {
        // Not chat.completions.create, which inspects the body for a stream at the cost of a tenth of the call; and as a response,
        // for its headers.
        const response = await client.post('/chat/completions', { body, signal }).asResponse();
        observe(permit, response.headers);
        return await response.text();
      } catch (error) {
        if (isStatusError(error)) observe(permit, error.headers);
        if (signal.aborted || !isStatusError(error)) throw error;
        const lesson = habits.learn(toRefusal(error.status, error.error), own);
        if (lesson === null || learned.has(lesson)) throw error;
        learned.add(lesson);
        log?.info(
          { model: id, param: lesson },
          'The model refuses a parameter; sent again without',
        );
      }
    }
  }

  /** What the rest of Winnow may know of `error`. */
  function translate(error: unknown, show: (message: string) => string): ModelError {
    if (!isStatusError(error)) return translateTransport(error, provider);
    const retryAfterMs = parseRetryAfter((header) => error.headers.get(header), Date.now());
    if (retryAfterMs === maxRetryAfterMs) {
      log?.warn(
        { model: id, retryAfterMs },
        'The provider asks for an hour or more; waiting an hour',
      );
    }
    // Without a cause: the package's error holds the provider's words as they came.
    return classify(toRefusal(error.status, error.error), { provider, quote: show, retryAfterMs });
  }

  return {
    id,
    provider,
    name,
    gate,
    batches:
      connection.batches &&
      createOpenAiBatches({
        connection: connection.batches,
        name,
        bodyOf: (request) => bodyOf(batchRequest(name, request)),
        learn: (refusal) => habits.learn(refusal, anyParams) !== null,
      }),
    bodyOf,
    async send(request, { signal, permit }) {
      signal.throwIfAborted();
      // Node 20 warns of a leak when an eleventh call shares a signal.
      setMaxListeners(0, signal);
      const call = new AbortController();
      const abort = () => call.abort(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      const timer = setTimeout(() => call.abort(), timeoutMs);
      const show = (message: string) => quote(message, { secrets, texts: textsOf(request) });
      try {
        const completion = await exchange(request, { signal: call.signal, permit });
        const whole = 'body' in request;
        const answer = readAnswer(completion, { provider, prices, quote: show, whole });
        settle(permit, answer.tokens);
        return answer;
      } catch (error) {
        if (error instanceof ModelError) {
          settle(permit, error.tokens);
          throw error;
        }
        if (signal.aborted) throw signal.reason;
        if (call.signal.aborted) throw timedOut(provider, timeoutMs);
        throw translate(error, show);
      } finally {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
      }
    },
  };
}

function observe(permit: Permit, headers: Pick<Headers, 'get'>): void {
  const read = readRateHeaders((name) => headers.get(name));
  if (read) permit.observe(read);
}

/** Where the server sent no usage, the estimate stands. */
function settle(permit: Permit, tokens: Tokens | null): void {
  const spent = tokens ? tokens.inputTokens + tokens.outputTokens : 0;
  if (spent > 0) permit.settle(spent);
}

/** What was sent and must not be shown when the provider quotes it. */
function textsOf(request: ModelRequest): string[] {
  if (!('body' in request)) return request.messages.map(({ content }) => content);
  const texts: string[] = [];
  JSON.stringify(request.body.messages, (_key, value: unknown) => {
    if (typeof value === 'string') texts.push(value);
    return value;
  });
  return texts;
}
