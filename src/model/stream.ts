/** Streams an answer, for every protocol: what is the protocol's own is its port. */
import { follow } from '../core/deadline.ts';
import type { Tokens } from '../core/usage.ts';
import type { ExchangePort, Exchanges } from './exchange.ts';
import { translateTransport } from './http.ts';
import type { Model, StreamEvent } from './model.ts';
import { ModelError } from './model-error.ts';
import { unusable } from './read.ts';
import type { BodyRequest } from './request.ts';
import type { ReadOptions } from './send.ts';
import { readServerEvents } from './server-events.ts';

/** Time that a provider has to end a body whose last event has come. */
const lingerMs = 1_000;

/** One protocol, for one model, whose answers come in pieces. */
export interface StreamPort<Own> extends ExchangePort<Own> {
  buildStream(request: BodyRequest): { body: Record<string, unknown>; own: Own };
  /** Makes one HTTP request with a body of JSON. Rejects as the protocol's package does. */
  openStream(body: string, signal: AbortSignal, traceparent?: string): Promise<Response>;
  readStream(request: BodyRequest, options: ReadOptions): StreamReader;
  /** An answer that came whole all the same. Throws ModelError. */
  read(answer: string, options: ReadOptions): unknown;
}

/** Reads the events of one answer. */
export interface StreamReader {
  /** The events of the request's dialect that an event becomes. Throws ModelError. */
  read(event: StreamEvent): readonly StreamEvent[];
  /** The events behind the provider's last one. */
  end(): readonly StreamEvent[];
  /** `over`: nothing comes any more. `whole`: nothing has to. */
  readonly state: 'open' | 'whole' | 'over';
  /** As the provider has counted them so far. */
  readonly tokens: Tokens | null;
}

/** `Model.stream` of one model. */
export function createStream<Own>(
  exchanges: Exchanges<Own>,
  port: StreamPort<Own>,
): Model['stream'] {
  const { provider, prices } = exchanges;
  const way = { build: port.buildStream, post: port.openStream };

  return async (request, { signal, permit }) => {
    signal.throwIfAborted();
    const options = { provider, prices, quote: exchanges.shown(request), whole: true };
    const { controller, leave } = follow(signal);
    try {
      const call = { signal: controller.signal, permit };
      const response = await exchanges.exchange(request, way, call);
      exchanges.observe(permit, response.headers);
      if (!isStream(response)) {
        port.read(await response.text(), options);
        throw unusable(`${provider} answered without a stream.`);
      }
      const reader = port.readStream(request, options);
      const settle = () => {
        leave();
        exchanges.settle(permit, reader.tokens);
      };
      return {
        events: eventsOf(response, reader, { controller, provider, settle }),
        spent: () => reader.tokens && withCost(reader.tokens),
      };
    } catch (error) {
      leave();
      if (signal.aborted) throw signal.reason;
      throw error instanceof ModelError ? error : exchanges.failureOf(error, request);
    }
  };

  function withCost(tokens: Tokens) {
    return { tokens, costUsd: prices.costUsd(tokens) };
  }
}

function isStream({ headers }: Response): boolean {
  return !/json/i.test(headers.get('content-type') ?? '');
}

async function* eventsOf(
  { body }: Response,
  reader: StreamReader,
  {
    controller,
    provider,
    settle,
  }: { controller: AbortController; provider: string; settle: () => void },
): AsyncGenerator<StreamEvent, void, undefined> {
  // As the streaming fetch has it, whatever the package's types say.
  const events = readServerEvents(body as unknown as AsyncIterable<Uint8Array>);
  let isBegun = false;
  try {
    while (reader.state !== 'over') {
      const next = await events.next();
      if (next.done) break;
      yield* reader.read(next.value);
      isBegun = true;
    }
    if (reader.state === 'open') throw unusable(`${provider} broke off its answer.`);
    yield* reader.end();
  } catch (error) {
    if (controller.signal.aborted) throw controller.signal.reason;
    if (!(error instanceof ModelError)) throw translateTransport(error, provider);
    throw isBegun ? perhapsBilled(error) : error;
  } finally {
    settle();
    if (reader.state === 'over') void letEnd(events, controller);
    else controller.abort(new Error('The answer is not read on.'));
  }
}

/** The failure of an answer that had begun: what was written of it may be billed. */
function perhapsBilled(error: ModelError): ModelError {
  const { failure, message, param } = error;
  return error.isFree ? new ModelError(failure, message, { cause: error, param }) : error;
}

/** Reads the end of a body, so that its connection can be used again. */
async function letEnd(
  events: AsyncIterator<StreamEvent>,
  controller: AbortController,
): Promise<void> {
  const timer = setTimeout(() => controller.abort(new Error('The body has no end.')), lingerMs);
  try {
    while (!(await events.next()).done);
  } catch {
    // It has been answered.
  } finally {
    clearTimeout(timer);
  }
}
