/** Sends one request to a model, for every protocol: what is the protocol's own is its port. */

import { type CallSignal, DeadlineClock } from '../core/deadline-clock.ts';
import type { Tokens } from '../core/usage.ts';
import { estimateTokens } from './estimate.ts';
import type { ExchangePort, Exchanges } from './exchange.ts';
import { timedOut } from './http.ts';
import type { Permit } from './limits/permit.ts';
import type { Model, ModelAnswer } from './model.ts';
import { ModelError } from './model-error.ts';
import type { Prices } from './prices.ts';
import type { ModelRequest } from './request.ts';

/** Options of an answer's reader. */
export interface ReadOptions {
  /** Named in messages. */
  provider: string;
  prices: Pick<Prices, 'costUsd'>;
  /** Cuts a provider's words to what may be shown. */
  quote: (message: string) => string;
  /** True where any whole answer is one, however it stopped. */
  whole: boolean;
}

/** One protocol, for one model, whose answers are held whole. */
export interface Port<Own> extends ExchangePort<Own> {
  build(request: ModelRequest): { body: Record<string, unknown>; own: Own };
  /** Makes one HTTP request with a body of JSON. Rejects as the protocol's package does. */
  post(
    body: string,
    signal: CallSignal,
    traceparent?: string,
  ): Promise<{ headers: Pick<Headers, 'get'>; text(): Promise<string> }>;
  /** Throws ModelError. */
  read(answer: string, options: ReadOptions): ModelAnswer;
}

/** Tokens that an answer was billed, and the length of the body that it answers. */
interface Billed {
  tokens: Tokens | null;
  sentLength: number;
}

/** `Model.send` of one model. */
export function createSend<Own>(
  exchanges: Exchanges<Own>,
  port: Port<Own>,
  timeoutMs: number,
): Model['send'] {
  const { provider, prices } = exchanges;
  const clock = new DeadlineClock(timeoutMs, () => timedOut(provider, timeoutMs));
  const way = {
    build: port.build,
    async post(body: string, signal: CallSignal, traceparent?: string) {
      const response = await port.post(body, signal, traceparent);
      const { headers } = response;
      return { text: await response.text(), headers, sentLength: body.length };
    },
  };

  /** Tells the gate and the plan what was billed. */
  function settle(request: ModelRequest, permit: Permit, billed: Billed): void {
    const spent = exchanges.settle(permit, billed.tokens);
    if (spent > 0) request.tokenRatio?.learn(estimateTokens(request, billed.sentLength), spent);
  }

  return async (request, { signal, permit }) => {
    const call = clock.start(signal);
    let answered: Awaited<ReturnType<typeof way.post>>;
    try {
      answered = await exchanges.exchange(request, way, { signal: call, permit });
    } catch (error) {
      if (call.aborted) throw call.reason;
      throw exchanges.failureOf(error, request);
    } finally {
      clock.end(call);
    }
    const { sentLength } = answered;
    try {
      const whole = 'body' in request;
      const quote = exchanges.shown(request);
      const answer = port.read(answered.text, { provider, prices, quote, whole });
      settle(request, permit, { tokens: answer.tokens, sentLength });
      return whole ? { ...answer, json: answered.text } : answer;
    } catch (error) {
      if (error instanceof ModelError) {
        settle(request, permit, { tokens: error.tokens, sentLength });
      }
      throw error;
    } finally {
      exchanges.observe(permit, answered.headers);
    }
  };
}
