/**
 * Speaks Anthropic's Messages API (https://platform.claude.com/docs/en/api/messages/create).
 */
import { setMaxListeners } from 'node:events';
import { batchRequest } from '../default-temperature.ts';
import { showsSchemas } from '../endpoint.ts';
import { estimateTokens } from '../estimate.ts';
import {
  type Gate,
  type Log,
  type Model,
  ModelError,
  type ModelRequest,
  type Permit,
  type Tokens,
} from '../model.ts';
import { atBatchPrices, createPrices } from '../prices.ts';
import { quote, secretsOf } from '../redact.ts';
import { maxRetryAfterMs, parseRetryAfter } from '../retry-after.ts';
import { timedOut } from '../transport.ts';
import { readMessage } from './answer.ts';
import { createMessageBatches } from './batches.ts';
import type { AnthropicConnection } from './connection.ts';
import { failureOf, isStatusError, refusalOf, translateTransport } from './failure.ts';
import { createHabits } from './habits.ts';
import { readAnthropicRateHeaders } from './rate-headers.ts';
import { buildParams } from './request-body.ts';

/** The model `name` of a connected provider. What it refuses is remembered here, so one Model per name is kept. */
export function createAnthropicModel({
  connection,
  name,
  gate,
  timeoutMs,
  log,
}: {
  connection: AnthropicConnection;
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
  const habits = createHabits(showsSchemas(config));
  const secrets = secretsOf(config);
  /** Of the last answer: what a limit on input or output tokens means for calls like these. */
  let mix: Tokens | null = null;

  /** Sends, and sends again while the model refuses something that can be left out. Returns the answer as it came. */
  async function exchange(
    request: ModelRequest,
    { signal, permit }: { signal: AbortSignal; permit: Permit },
  ): Promise<{ text: string; headers: Pick<Headers, 'get'> }> {
    const learned = new Set<string>();
    for (;;) {
      const { params, sent } = buildParams(name, request, habits);
      permit.begin(() => estimateTokens(request));
      try {
        // Not messages.create, which refuses limits on output tokens that it thinks would take too long.
        const response = await client.post('/v1/messages', { body: params, signal }).asResponse();
        return { text: await response.text(), headers: response.headers };
      } catch (error) {
        if (isStatusError(error)) observe(permit, error.headers);
        if (signal.aborted || !isStatusError(error)) throw error;
        const lesson = habits.learn(refusalOf(error.status, error.error), sent);
        if (lesson === null || learned.has(lesson)) throw error;
        learned.add(lesson);
        log?.info(
          { model: id, param: lesson },
          'The model refuses a parameter; sent again without',
        );
      }
    }
  }

  function observe(permit: Permit, headers: Pick<Headers, 'get'>): void {
    const read = readAnthropicRateHeaders((header) => headers.get(header), {
      mix,
      nowMs: Date.now(),
    });
    if (read) permit.observe(read);
  }

  /** Counts what was billed; where the server sent no usage, the estimate stands. */
  function settle(permit: Permit, tokens: Tokens | null): void {
    const spent = tokens ? tokens.inputTokens + tokens.outputTokens : 0;
    if (spent === 0) return;
    mix = tokens;
    permit.settle(spent);
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
    const refusal = refusalOf(error.status, error.error);
    return failureOf(refusal, { provider, quote: show, retryAfterMs });
  }

  return {
    id,
    provider,
    name,
    gate,
    batches: createMessageBatches({
      connection,
      timeoutMs,
      prices: atBatchPrices(prices),
      habits,
      paramsOf: (request) => buildParams(name, batchRequest(name, request), habits).params,
    }),
    bodyOf: (request) => buildParams(name, request, habits).params,
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
        const { text, headers } = await exchange(request, { signal: call.signal, permit });
        try {
          const whole = 'body' in request;
          const answer = readMessage(text, { provider, prices, quote: show, whole });
          settle(permit, answer.tokens);
          return answer;
        } catch (error) {
          if (error instanceof ModelError) settle(permit, error.tokens);
          throw error;
        } finally {
          observe(permit, headers);
        }
      } catch (error) {
        if (error instanceof ModelError) throw error;
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

/** What was sent and must not be shown when the provider quotes it. */
export function textsOf(request: ModelRequest): string[] {
  if (!('body' in request)) return request.messages.map(({ content }) => content);
  const texts: string[] = [];
  const { messages, system } = request.body;
  JSON.stringify([messages, system], (_key, value: unknown) => {
    if (typeof value === 'string') texts.push(value);
    return value;
  });
  return texts;
}
