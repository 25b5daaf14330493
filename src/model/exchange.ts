/** One request to a model and its answer, in whatever form the answer comes. */
import { setImmediate } from 'node:timers/promises';
import type { Tokens } from '../core/usage.ts';
import { estimateTokens } from './estimate.ts';
import type { Refusal } from './failure.ts';
import { type Failures, translate } from './http.ts';
import type { Permit } from './limits/permit.ts';
import type { RateHeaders } from './limits/rate-headers.ts';
import type { Log } from './model.ts';
import type { ModelError } from './model-error.ts';
import { type Prices, pricesOf } from './prices.ts';
import type { ProviderConfig } from './provider-config.ts';
import { quote, secretsOf } from './redact.ts';
import type { ModelRequest } from './request.ts';

/** Characters of which others get their turn before they are sent. */
const longText = 1_048_576;

export interface SenderOptions {
  config: ProviderConfig;
  /** Name of the model, as the provider knows it. */
  name: string;
  /** For the headers and body of an answer, and for the request sent again. */
  timeoutMs: number;
  log: Log | null;
}

/** A protocol's own part of every exchange. `Own` is what was sent that may be left out. */
export interface ExchangePort<Own> {
  failures: Failures;
  /**
   * Takes in a refusal. Returns a name for what will be different next time; null where the refusal
   * is about nothing that may be changed.
   */
  learn(refusal: Refusal, own: Own): string | null;
  /** `mix`: tokens of the last answer, null before there was one. */
  readRates(header: (name: string) => string | null, mix: Tokens | null): RateHeaders | null;
}

/** The way in which one kind of request is made, and sent as a body of JSON. */
interface Way<Request, Own, Signal, Answer> {
  build(request: Request): { body: Record<string, unknown>; own: Own };
  /** Rejects as the protocol's package does. */
  post(body: string, signal: Signal, traceparent?: string): Promise<Answer>;
}

export interface Exchanges<Own> {
  /** Sends, and sends again while the model refuses something that can be left out. */
  exchange<Request extends ModelRequest, Signal extends { aborted: boolean }, Answer>(
    request: Request,
    way: Way<Request, Own, Signal, Answer>,
    options: { signal: Signal; permit: Permit },
  ): Promise<Answer>;
  /** Tells the gate what an answer's headers say of the limits. */
  observe(permit: Permit, headers: Pick<Headers, 'get'>): void;
  /**
   * Counts what was billed. Where the server sent no usage, the estimate stands. Returns the sum of
   * the tokens, 0 where there were none.
   */
  settle(permit: Permit, tokens: Tokens | null): number;
  /** The ModelError for what `exchange` rejected with. */
  failureOf(error: unknown, request: ModelRequest): ModelError;
  /** Cuts the provider's words about a request to what may be shown. */
  shown(request: ModelRequest): (message: string) => string;
  readonly provider: string;
  readonly prices: Prices;
}

/** The exchanges with one model. */
export function createExchanges<Own>(
  { config, name, log }: SenderOptions,
  { failures, learn, readRates }: ExchangePort<Own>,
): Exchanges<Own> {
  const provider = config.name;
  const id = `${provider}/${name}`;
  const secrets = secretsOf(config);
  /** Tokens of the last answer. */
  let mix: Tokens | null = null;

  function observe(permit: Permit, headers: Pick<Headers, 'get'>): void {
    const read = readRates((header) => headers.get(header), mix);
    if (read) permit.observe(read);
  }

  const shown = (request: ModelRequest) => (message: string) =>
    quote(message, { secrets, texts: textsOf(request) });

  return {
    async exchange(request, way, { signal, permit }) {
      let learned: Set<string> | null = null;
      for (;;) {
        const { body, own } = way.build(request);
        // Text at once: the pieces of a long prompt take more room.
        const text = JSON.stringify(body);
        permit.begin(() => expectedTokens(request, text.length));
        try {
          if (text.length > longText) await setImmediate();
          return await way.post(text, signal, request.traceparent);
        } catch (error) {
          if (!failures.isStatusError(error)) throw error;
          observe(permit, error.headers);
          if (signal.aborted) throw error;
          const lesson = learn(failures.refusalOf(error.status, error.error), own);
          if (lesson === null || learned?.has(lesson)) throw error;
          learned = new Set(learned).add(lesson);
          log?.info(
            { ...request.about, model: id, param: lesson },
            'The model refuses a parameter; sent again without',
          );
        }
      }
    },
    observe,
    settle(permit, tokens) {
      const spent = tokens ? tokens.inputTokens + tokens.outputTokens : 0;
      if (spent === 0) return 0;
      mix = tokens;
      permit.settle(spent);
      return spent;
    },
    failureOf: (error, request) =>
      translate(error, failures, {
        provider,
        quote: shown(request),
        log,
        model: id,
        about: request.about,
      }),
    shown,
    provider,
    prices: pricesOf(config, name).live,
  };
}

/** The estimate, as the answers to the other requests of the plan correct it. */
function expectedTokens(request: ModelRequest, sentLength: number): number {
  return Math.ceil(estimateTokens(request, sentLength) * (request.tokenRatio?.value ?? 1));
}

/** Texts that were sent and must not be shown when the provider quotes them. */
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
