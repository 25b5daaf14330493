/** Sends one request to a model, for every protocol: what is the protocol's own is its port. */

import { type CallSignal, DeadlineClock } from '../core/deadline-clock.ts';
import type { Tokens } from '../core/usage.ts';
import { estimateTokens } from './estimate.ts';
import type { Refusal } from './failure.ts';
import { type Failures, timedOut, translate } from './http.ts';
import type { RateHeaders } from './limits/rate-headers.ts';
import {
  type Log,
  type Model,
  type ModelAnswer,
  ModelError,
  type ModelRequest,
  type Permit,
  type ProviderConfig,
} from './model.ts';
import { createPrices, type Prices } from './prices.ts';
import { quote, secretsOf } from './redact.ts';

/** What an answer's reader is given. */
export interface ReadOptions {
  /** Named in messages. */
  provider: string;
  prices: Prices;
  /** Cuts a provider's words to what may be shown. */
  quote: (message: string) => string;
  /** Whether any whole answer is one, however it stopped. */
  whole: boolean;
}

/** One protocol, for one model. `Own` is what was sent that may be left out. */
export interface Port<Own> {
  build(request: ModelRequest): { body: Record<string, unknown>; own: Own };
  /** Makes one HTTP request with a body of JSON. Rejects as the protocol's package does. */
  post(
    body: string,
    signal: CallSignal,
  ): Promise<{ headers: Pick<Headers, 'get'>; text(): Promise<string> }>;
  failures: Failures;
  /**
   * Takes in a refusal. Returns a name for what will be different next time; null where the refusal
   * is about nothing that may be changed.
   */
  learn(refusal: Refusal, own: Own): string | null;
  /** Throws ModelError. */
  read(answer: string, options: ReadOptions): ModelAnswer;
  /** `mix`: tokens of the last answer, null before there was one. */
  readRates(header: (name: string) => string | null, mix: Tokens | null): RateHeaders | null;
}

export interface SenderOptions {
  config: ProviderConfig;
  /** Of the model, as the provider knows it. */
  name: string;
  /** For the headers and body of an answer, and for the request sent again. */
  timeoutMs: number;
  log: Log | null;
}

/** `Model.send` of one model. */
export function createSend<Own>(
  { config, name, timeoutMs, log }: SenderOptions,
  port: Port<Own>,
): Model['send'] {
  const provider = config.name;
  const id = `${provider}/${name}`;
  const prices = createPrices(provider, name);
  const secrets = secretsOf(config);
  const clock = new DeadlineClock(timeoutMs, () => timedOut(provider, timeoutMs));
  /** Of the last answer. */
  let mix: Tokens | null = null;

  /** Sends, and sends again while the model refuses something that can be left out. */
  async function exchange(
    request: ModelRequest,
    { signal, permit }: { signal: CallSignal; permit: Permit },
  ): Promise<{ text: string; headers: Pick<Headers, 'get'> }> {
    let learned: Set<string> | null = null;
    for (;;) {
      const { body, own } = port.build(request);
      permit.begin(() => estimateTokens(request));
      try {
        // Text at once: the pieces of a long prompt take more room.
        const response = await port.post(JSON.stringify(body), signal);
        return { text: await response.text(), headers: response.headers };
      } catch (error) {
        if (!port.failures.isStatusError(error)) throw error;
        observe(permit, error.headers);
        if (signal.aborted) throw error;
        const lesson = port.learn(port.failures.refusalOf(error.status, error.error), own);
        if (lesson === null || learned?.has(lesson)) throw error;
        learned = new Set(learned).add(lesson);
        log?.info(
          { model: id, param: lesson },
          'The model refuses a parameter; sent again without',
        );
      }
    }
  }

  function observe(permit: Permit, headers: Pick<Headers, 'get'>): void {
    const read = port.readRates((header) => headers.get(header), mix);
    if (read) permit.observe(read);
  }

  /** Counts what was billed. Where the server sent no usage, the estimate stands. */
  function settle(permit: Permit, tokens: Tokens | null): void {
    const spent = tokens ? tokens.inputTokens + tokens.outputTokens : 0;
    if (spent === 0) return;
    mix = tokens;
    permit.settle(spent);
  }

  return async (request, { signal, permit }) => {
    const show = (message: string) => quote(message, { secrets, texts: textsOf(request) });
    const call = clock.start(signal);
    let exchanged: Awaited<ReturnType<typeof exchange>>;
    try {
      exchanged = await exchange(request, { signal: call, permit });
    } catch (error) {
      if (call.aborted) throw call.reason;
      throw translate(error, port.failures, { provider, quote: show, log, model: id });
    } finally {
      clock.end(call);
    }
    try {
      const whole = 'body' in request;
      const answer = port.read(exchanged.text, { provider, prices, quote: show, whole });
      settle(permit, answer.tokens);
      return answer;
    } catch (error) {
      if (error instanceof ModelError) settle(permit, error.tokens);
      throw error;
    } finally {
      observe(permit, exchanged.headers);
    }
  };
}

/** What was sent and must not be shown when the provider quotes it. */
function textsOf(request: ModelRequest): string[] {
  if (!('body' in request)) return request.messages.map(({ content }) => content);
  const texts: string[] = [];
  const { messages, system } = request.body;
  JSON.stringify([messages, system], (_key, value: unknown) => {
    if (typeof value === 'string') texts.push(value);
    return value;
  });
  return texts;
}
