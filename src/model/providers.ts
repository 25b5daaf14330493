/**
 * The configured providers, and the models behind ids like `openai/gpt-4.1-mini`.
 */
import { BadUserInput } from '../errors.ts';
import { connectAnthropic } from './anthropic/connection.ts';
import { createAnthropicModel } from './anthropic/model.ts';
import type { Clock } from './limits/clock.ts';
import { createGate, type GateEvent, type SharedGate } from './limits/gate.ts';
import type { RateLimits } from './limits/rates.ts';
import type { Log, Model, ModelInfo, ProviderConfig } from './model.ts';
import { connect, createModel } from './openai/model.ts';
import { createPrices } from './prices.ts';

export interface Providers {
  /**
   * The model `id`, the same object for every caller of the process, so that its gate is shared. Throws BadUserInput with an issue at `path`
   * (`model` when not given) that names what is configured.
   */
  resolve(id: string, path?: string): Model;
  /**
   * The model that a request names itself: an id where a configured provider stands before the slash, else a model of the same provider
   * as `model`, slashes included. A provider that has only its listed models (the sandbox) answers with `model` for every
   * other. Throws BadUserInput as `resolve` does.
   */
  resolveNamed(name: string, model: Model): Model;
  /** The listed models of every provider, with prices, in the order of the configuration. */
  list(): ModelInfo[];
  /**
   * How much of each provider's limits per minute is this process's, above 0 to 1; all of it until told otherwise. The sum over all
   * processes should be 1.
   */
  share(fraction: number): void;
  /** Ends all connections at once; calls in flight fail. */
  close(): Promise<void>;
}

export interface ProvidersOptions {
  configs: readonly ProviderConfig[];
  /** The deadline of one send, in milliseconds. */
  timeoutMs: number;
  /** Calls in flight at once per model, where the provider's limits have no concurrency. */
  concurrency: number;
  log?: Log | undefined;
  /** Of the gates. */
  clock?: Clock | undefined;
}

/** Listed for OpenAI itself when the configuration lists nothing. All have known prices and structured output. */
export const openAiModels = [
  'gpt-4.1-mini',
  'gpt-4.1',
  'gpt-4.1-nano',
  'gpt-4o-mini',
  'gpt-4o',
  'gpt-5-mini',
  'gpt-5-nano',
  'gpt-5',
  'gpt-5.1',
  'gpt-5.4-mini',
] as const;

/** Listed for Anthropic itself. All have known prices, structured output and message batches. */
export const anthropicModels = [
  'claude-haiku-4-5',
  'claude-sonnet-5',
  'claude-sonnet-4-6',
  'claude-sonnet-4-5',
  'claude-opus-5-5',
  'claude-opus-5',
  'claude-opus-4-8',
] as const;

/** Names come from users; a stranger who invents them must not fill the memory. */
const maxModels = 1_000;
const maxNameChars = 200;

/** Throws an Error where two providers share a name or one cannot be spoken to at all. Connects to nothing yet. */
export function createProviders({
  configs,
  timeoutMs,
  concurrency,
  log,
  clock,
}: ProvidersOptions): Providers {
  const connections = new Map<string, Connection>();
  for (const config of configs) {
    if (connections.has(config.name)) throw new Error(`Two providers are named ${config.name}.`);
    const models = config.models.length === 0 ? knownModels(config) : config.models;
    connections.set(config.name, open({ ...config, models }, timeoutMs));
  }
  const models = new Map<string, Model>();
  const gates = new Map<string, SharedGate>();
  let fraction = 1;

  function create(id: string, path: string): Model {
    const refuse = (message: string) =>
      new BadUserInput([{ path, message: `${message} ${describe(connections)}` }]);
    const slash = id.indexOf('/');
    const name = id.slice(slash + 1);
    if (slash < 1 || name === '') {
      throw refuse(`${shown(id)} is not a model id, which is written provider/name.`);
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
    if (name.length > maxNameChars || /[\s\u0000-\u001f\u007f]/.test(name)) {
      throw refuse(
        `A model's name has no white space and at most ${maxNameChars} characters, unlike ${shown(id)}.`,
      );
    }
    const connection = connections.get(id.slice(0, slash));
    if (!connection) throw refuse(`${shown(id.slice(0, slash))} is not a configured provider.`);
    const { config } = connection;
    if (config.closed && !config.models.includes(name)) {
      throw refuse(`${config.name} has no model ${shown(name)}.`);
    }
    const gate = createGate({
      id,
      ...limitsOf(config, name, concurrency),
      ...(clock ? { clock } : undefined),
      onEvent: (event) => tell(log ?? null, id, event),
    });
    gate.share(fraction);
    gates.set(id, gate);
    return connection.model({ name, gate, timeoutMs, log: log ?? null });
  }

  function resolve(id: string, path = 'model'): Model {
    const model = models.get(id) ?? create(id, path);
    // Put at the end again, so that the first one is the longest unused.
    models.delete(id);
    models.set(id, model);
    const [longestUnused] = models.keys();
    if (models.size > maxModels && longestUnused !== undefined) {
      models.delete(longestUnused);
      gates.delete(longestUnused);
    }
    return model;
  }

  return {
    resolve,
    resolveNamed(name, model) {
      if (connections.has(name.slice(0, Math.max(0, name.indexOf('/'))))) return resolve(name);
      const config = connections.get(model.provider)?.config;
      if (config?.closed && !config.models.includes(name)) return model;
      return resolve(`${model.provider}/${name}`);
    },
    share(next) {
      fraction = next;
      for (const gate of gates.values()) gate.share(fraction);
    },
    list: () => [...connections.values()].flatMap(({ config }) => config.models.map(info(config))),
    async close() {
      await Promise.all([...connections.values()].map((connection) => connection.close()));
    },
  };
}

/** One provider's connections, whatever it speaks. */
interface Connection {
  readonly config: ProviderConfig;
  model(options: { name: string; gate: SharedGate; timeoutMs: number; log: Log | null }): Model;
  close(): Promise<void>;
}

function open(config: ProviderConfig, timeoutMs: number): Connection {
  if (config.protocol === 'anthropic') {
    const connection = connectAnthropic(config, timeoutMs);
    const model: Connection['model'] = (given) => createAnthropicModel({ connection, ...given });
    return { config, model, close: connection.close };
  }
  const connection = connect(config, timeoutMs);
  return {
    config,
    model: (given) => createModel({ connection, ...given }),
    close: connection.close,
  };
}

function limitsOf(
  { limits, modelLimits = {} }: ProviderConfig,
  name: string,
  concurrency: number,
): RateLimits & { maxConcurrency: number } {
  const own = Object.hasOwn(modelLimits, name) ? modelLimits[name] : undefined;
  return {
    maxConcurrency: own?.concurrency ?? limits?.concurrency ?? concurrency,
    requestsPerMinute: own?.requestsPerMinute ?? limits?.requestsPerMinute,
    tokensPerMinute: own?.tokensPerMinute ?? limits?.tokensPerMinute,
  };
}

function tell(log: Log | null, model: string, event: GateEvent): void {
  switch (event.kind) {
    case 'outage':
      log?.warn(
        { model, reason: event.message },
        'every call fails; one in some seconds goes on, to see when the provider is back',
      );
      return;
    case 'recovery':
      log?.info({ model, afterMs: Math.round(event.afterMs) }, 'the provider answers again');
      return;
    case 'distrust':
      log?.warn(
        { model },
        'the rate limits in the headers are not what the provider does; ignored for ten minutes',
      );
      return;
    default:
      event satisfies never;
  }
}

const info =
  (config: ProviderConfig) =>
  (name: string): ModelInfo => {
    const { name: provider, batches } = config;
    const { inputPrice, outputPrice } = createPrices(provider, name);
    const providerBatch = batches ?? knownModels(config).length > 0;
    return { id: `${provider}/${name}`, provider, inputPrice, outputPrice, providerBatch };
  };

/** The models of OpenAI and Anthropic themselves: a base URL may name any server, and what that has is not ours to guess. */
function knownModels({ name, baseUrl }: ProviderConfig): readonly string[] {
  const { hostname } = new URL(baseUrl);
  if (name === 'openai' && hostname === 'api.openai.com') return openAiModels;
  return name === 'anthropic' && hostname === 'api.anthropic.com' ? anthropicModels : [];
}

function describe(connections: ReadonlyMap<string, Connection>): string {
  if (connections.size === 0) return 'No provider is configured.';
  const parts = [...connections.values()].map(({ config: { name, models, closed } }) => {
    const listed = models.map((model) => `${name}/${model}`);
    return [...listed, ...(closed ? [] : [`${name}/<any model it has>`])].join(', ');
  });
  return `Configured: ${parts.join(', ')}.`;
}

function shown(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
