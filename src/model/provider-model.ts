/** A Model out of one protocol's port: what is alike for every protocol. */
import type { BatchApi } from './batch-api.ts';
import { batchRequest } from './default-temperature.ts';
import { createExchanges, type SenderOptions } from './exchange.ts';
import type { Refusal } from './failure.ts';
import type { Gate } from './limits/permit.ts';
import type { Connecting, Model } from './model.ts';
import { pricesOf } from './prices.ts';
import { promptCacheOf } from './prompt-cache.ts';
import type { Dialect, ModelRequest } from './request.ts';
import { createSend, type Port } from './send.ts';
import { createStream, type StreamPort } from './stream.ts';

/** One model of a connected provider. */
export interface ModelOptions extends Omit<SenderOptions, 'config'> {
  gate: Gate;
}

/** The batch API of one protocol, for one model. */
export interface BatchOptions {
  /** Name of the model, as the provider knows it. */
  name: string;
  /** The body of a live call. */
  bodyOf(request: ModelRequest): Record<string, unknown>;
  /** Takes in what the model refused. True where that changes what is sent. */
  learn(refusal: Refusal): boolean;
}

/**
 * The Model remembers what its model refuses: keep one a name. `anyOwn` is all that a request of a
 * batch may have been sent with: its refusal comes hours later, maybe to another process.
 */
export function createProviderModel<Own>(
  {
    gate,
    connecting,
    ...sender
  }: ModelOptions & Pick<SenderOptions, 'config'> & { connecting: Connecting },
  {
    dialect,
    port,
    anyOwn,
    batches,
  }: {
    dialect: Dialect;
    port: Port<Own> & StreamPort<Own>;
    anyOwn: Own;
    batches(options: BatchOptions): BatchApi | null;
  },
): Model {
  const { config, name } = sender;
  const exchanges = createExchanges(sender, port);
  const bodyOf = (request: ModelRequest) => port.build(request).body;
  return {
    id: `${config.name}/${name}`,
    provider: config.name,
    name,
    dialect,
    gate,
    connecting,
    batches: batches({
      name,
      bodyOf: (request) => bodyOf(markedForAnHour(batchRequest(name, request))),
      learn: (refusal) => port.learn(refusal, anyOwn) !== null,
    }),
    promptCache: promptCacheOf({ provider: config.name, dialect, name }, pricesOf(config, name)),
    bodyOf,
    send: createSend(exchanges, port, sender.timeoutMs),
    stream: createStream(exchanges, port),
  };
}

/** A request of a provider job: hours may lie between the first of them and the last. */
function markedForAnHour(request: ModelRequest): ModelRequest {
  if ('body' in request || !request.cacheMark) return request;
  return { ...request, cacheMark: { ...request.cacheMark, isLong: true } };
}
