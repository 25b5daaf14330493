/** Providers as they are spoken to: their connections, and a gate for each of their models. */

import type { Telling } from '../telemetry/events.ts';
import { connectAnthropic } from './anthropic/connection.ts';
import { createAnthropicModel } from './anthropic/model.ts';
import type { Clock } from './limits/clock.ts';
import { createGate } from './limits/gate.ts';
import type { GateEvent, SharedGate } from './limits/permit.ts';
import type { RateLimits } from './limits/rates.ts';
import type { Model } from './model.ts';
import { connectOpenAi } from './openai/connection.ts';
import { createModel } from './openai/model.ts';
import type { ProviderConfig } from './provider-config.ts';
import type { ModelOptions } from './provider-model.ts';

/** One provider's connections, whatever it speaks. */
export interface Connection {
  readonly config: ProviderConfig;
  model(options: ModelOptions): Model;
  /** The provider's list of its models, as it came. */
  listModels(signal: AbortSignal): Promise<string>;
  close(): Promise<void>;
}

/** Connects lazily. Throws an Error where the base URL, the key or a header is unfit. */
export function openConnection(config: ProviderConfig, timeoutMs: number): Connection {
  if (config.protocol === 'anthropic') {
    const connection = connectAnthropic(config, timeoutMs);
    return {
      config,
      model: (options) => createAnthropicModel(connection, options),
      listModels: async (signal) =>
        (await connection.client.get('/v1/models', { signal }).asResponse()).text(),
      close: connection.close,
    };
  }
  const connection = connectOpenAi(config, timeoutMs);
  return {
    config,
    model: (options) => createModel(connection, options),
    listModels: async (signal) =>
      (await connection.client.get('/models', { signal }).asResponse()).text(),
    close: connection.close,
  };
}

/** The gate of one model. Events tell what it learns of its provider. */
export function openGate(
  config: ProviderConfig,
  name: string,
  {
    concurrency,
    events,
    clock,
  }: { concurrency: number; events?: Telling | undefined; clock?: Clock | undefined },
): SharedGate {
  const id = `${config.name}/${name}`;
  return createGate({
    id,
    ...limitsOf(config, name, concurrency),
    ...(clock ? { clock } : undefined),
    onEvent: (event) => tell(events, id, event),
  });
}

/** Configured limits of one model, of all processes together; calls at once are of each. */
export interface ModelLimits extends RateLimits {
  maxConcurrency: number;
}

/** `concurrency`: where nothing else is configured. */
export function limitsOf(
  { limits, modelLimits = {} }: ProviderConfig,
  name: string,
  concurrency: number,
): ModelLimits {
  const own = Object.hasOwn(modelLimits, name) ? modelLimits[name] : undefined;
  return {
    maxConcurrency: own?.concurrency ?? limits?.concurrency ?? concurrency,
    requestsPerMinute: own?.requestsPerMinute ?? limits?.requestsPerMinute,
    tokensPerMinute: own?.tokensPerMinute ?? limits?.tokensPerMinute,
  };
}

function tell(events: Telling | undefined, model: string, event: GateEvent): void {
  switch (event.kind) {
    case 'outage':
      events?.emit('gate.outage', { model, message: event.message });
      return;
    case 'recovery':
      events?.emit('gate.recovered', { model, afterMs: event.afterMs });
      return;
    case 'distrust':
      events?.emit('gate.distrusted', { model });
      return;
    default:
      event satisfies never;
  }
}
