/**
 * The configured providers, and the models behind ids like `openai/gpt-4.1-mini`.
 */
import { BadUserInput } from '../core/errors.ts';
import { createRecent } from '../core/recent.ts';
import type { Telling } from '../telemetry/events.ts';
import { type Activity, activityOf } from './activity.ts';
import {
  type Connection,
  limitsOf,
  type ModelLimits,
  openConnection,
  openGate,
} from './connections.ts';
import { defaultOf, isOpen, isOpenAis, knownModels } from './known-models.ts';
import type { Clock } from './limits/clock.ts';
import type { Blocked, SharedGate } from './limits/permit.ts';
import type { RateLimits } from './limits/rates.ts';
import type { Log, Model } from './model.ts';
import { type ModelInfo, modelInfo, pricesAt } from './model-info.ts';
import { createModelLists, isModelName, maxNameChars } from './model-lists.ts';
import { type ModelPrices, type OwnPrices, pricesOf } from './prices.ts';
import type { ProviderConfig } from './provider-config.ts';
import { createReadings } from './readings.ts';

export interface Providers {
  /**
   * The model `id`, the same object for every caller of the process, so that its gate is shared.
   * Throws BadUserInput with an issue at `path` (`model` when not given) that names what is
   * configured.
   */
  resolve(id: string, path?: string): Model;
  /**
   * The model that a request names itself, where `model` answers the others. A name that a server
   * of the user's own lists is a model of it; else it is an id where a configured provider stands
   * before the slash, and a model of the same provider, slashes included, where none does. A
   * provider that has only its listed models (the sandbox) answers with `model` for every other.
   * Throws BadUserInput as `resolve` does.
   */
  resolveNamed(name: string, model: Model): Model;
  /** The model `name` of a provider; null where that is not configured. */
  resolveAt(provider: string, name: string): Model | null;
  /**
   * The models of every provider, with prices, in the order of the configuration: those that it
   * lists, else those that the provider said to have, else the one that is asked by default.
   */
  list(): ModelInfo[];
  /** The prices of the model `id`, whose provider need not be configured. */
  prices(id: string): ModelPrices;
  /** The configured limits of the model `id`; null where its provider is not configured. */
  limits(id: string): ModelLimits | null;
  /** Asks the providers of which nothing is listed, for at most 2 s. Never rejects. */
  learn(): Promise<void>;
  /**
   * Gives this process its part of each provider's limits per minute, above 0 to 1; it has all
   * until told otherwise. The sum over all processes should be 1.
   */
  share(fraction: number): void;
  /** States of the providers, as this process sees them. */
  activity(): Activity;
  /** The gates of the models that were called. */
  gates(): { model: string; inFlight: number; closed: Blocked['reason'] | null }[];
  /** The names of the providers, in the order of the configuration, and limits of all models. */
  configured(): { name: string; limits: RateLimits }[];
  /** Ends all connections at once; calls in flight fail. */
  close(): Promise<void>;
}

export interface ProvidersOptions {
  configs: readonly ProviderConfig[];
  /** The deadline of one send, in milliseconds. */
  timeoutMs: number;
  /** Calls in flight at once per model, where the provider's limits have no concurrency. */
  concurrency: number;
  /** The id of the model that is asked where none is named: its provider has that one at least. */
  defaultModel?: string | undefined;
  /** By id, in place of what the built-in list says. */
  prices?: Readonly<Record<string, OwnPrices>> | undefined;
  log?: Log | undefined;
  /** Told what the gates learn. */
  events?: Telling | undefined;
  /** Clock of the gates. */
  clock?: Clock | undefined;
}

/** Names come from users; a stranger who invents them must not fill the memory. */
const maxModels = 1_000;
/** A router has hundreds; a form has no use for more. */
const maxListed = 1_000;

/** Throws an Error where two providers share a name or one is unfit. Connects to nothing yet. */
export function createProviders({
  configs,
  timeoutMs,
  concurrency,
  defaultModel,
  prices: ownPrices = {},
  log: givenLog,
  events,
  clock,
}: ProvidersOptions): Providers {
  const log = givenLog ?? null;
  const connections = new Map<string, Connection>();
  for (const config of configs) {
    if (connections.has(config.name)) throw new Error(`Two providers are named ${config.name}.`);
    const models = config.models.length === 0 ? knownModels(config) : config.models;
    connections.set(
      config.name,
      openConnection({ ...config, models, prices: pricesAt(config.name, ownPrices) }, timeoutMs),
    );
  }
  const lists = createModelLists({
    ask: async (provider, signal) => (await connections.get(provider)?.listModels(signal)) ?? '',
    log,
  });
  const gates = new Map<string, SharedGate>();
  const models = createKept<Model>((id) => gates.delete(id));
  const readings = createKept<Model>();
  const prices = createKept<ModelPrices>();
  let fraction = 1;

  /** The model `name` of a connected provider. */
  function modelAt({ config, model }: Connection, name: string): Model {
    const id = `${config.name}/${name}`;
    return models.get(id, () => {
      const gate = openGate(config, name, { concurrency, events, clock });
      gate.share(fraction);
      gates.set(id, gate);
      return model({ name, gate, timeoutMs, log });
    });
  }

  function refuse(path: string, message: string): BadUserInput {
    return new BadUserInput([{ path, message: `${message} ${describe(connections)}` }]);
  }

  /** The provider and the name in an id. */
  function placeOf(id: string, path: string): { connection: Connection; name: string } {
    const slash = id.indexOf('/');
    const name = id.slice(slash + 1);
    if (slash < 1 || name === '') {
      throw refuse(path, `${shown(id)} is not a model id, which is written provider/name.`);
    }
    if (!isModelName(name)) {
      throw refuse(
        path,
        `A model's name has no white space and at most ${maxNameChars} characters, unlike ${shown(id)}.`,
      );
    }
    const connection = connections.get(id.slice(0, slash));
    if (!connection)
      throw refuse(path, `${shown(id.slice(0, slash))} is not a configured provider.`);
    const { config } = connection;
    if (config.closed && !config.models.includes(name)) {
      throw refuse(path, `${config.name} has no model ${shown(name)}.`);
    }
    return { connection, name };
  }

  /** The model of an id whose name somebody wrote without its provider: it has one reading. */
  function only(id: string): Model {
    const { connection, name } = placeOf(id, 'model');
    return modelAt(connection, name);
  }

  /** True of a model that the provider lists: by its configuration, and as it says itself. */
  function isListed({ config }: Connection, name: string): boolean {
    return config.models.includes(name) || (lists.known(config.name)?.has(name) ?? false);
  }

  function resolve(id: string, path = 'model'): Model {
    const { connection, name } = placeOf(id, path);
    const { config } = connection;
    const cut = modelAt(connection, name);
    if (!isOpen(config) || config.models.includes(name) || !isModelName(id)) return cut;
    return readings.get(id, () =>
      createReadings({
        cut,
        whole: () => modelAt(connection, id),
        isWhole: () => (isListed(connection, name) ? false : isListed(connection, id) || null),
        // A provider's name of the user's own is seldom the beginning of its models' names.
        ask: config.name === 'openai' && !isOpenAis(name) ? () => lists.ask(config.name) : null,
      }),
    );
  }

  /** `name` begins with a provider, and `asked`, a server of the user's own, may have it whole. */
  function resolveEither(name: string, asked: Connection): Model {
    const { connection, name: rest } = placeOf(name, 'model');
    const cut = modelAt(connection, rest);
    if (!isModelName(name)) return cut;
    return readings.get(`${asked.config.name} ${name}`, () =>
      createReadings({
        cut,
        whole: () => modelAt(asked, name),
        isWhole: () =>
          isListed(asked, name) ||
          (isListed(connection, rest) && connection === asked ? false : null),
        ask: () => lists.ask(asked.config.name),
      }),
    );
  }

  return {
    resolve,
    prices: (id) =>
      prices.get(id, () => {
        const slash = id.indexOf('/');
        const name = id.slice(0, slash);
        return pricesOf({ name, prices: pricesAt(name, ownPrices) }, id.slice(slash + 1));
      }),
    resolveNamed(name, model) {
      const asked = connections.get(model.provider);
      if (connections.has(name.slice(0, Math.max(0, name.indexOf('/'))))) {
        return asked && isOpen(asked.config) ? resolveEither(name, asked) : resolve(name);
      }
      if (asked?.config.closed && !asked.config.models.includes(name)) return model;
      return only(`${model.provider}/${name}`);
    },
    resolveAt: (provider, name) => (connections.has(provider) ? only(`${provider}/${name}`) : null),
    share(next) {
      fraction = next;
      for (const gate of gates.values()) gate.share(fraction);
    },
    limits(id) {
      const slash = id.indexOf('/');
      const connection = connections.get(id.slice(0, Math.max(0, slash)));
      return connection ? limitsOf(connection.config, id.slice(slash + 1), concurrency) : null;
    },
    async learn() {
      const unlisted = [...connections.values()].filter(({ config }) => config.models.length === 0);
      await Promise.all(unlisted.map(({ config }) => lists.ask(config.name)));
    },
    list: () =>
      [...connections.values()].flatMap(({ config }) => {
        const known =
          config.models.length > 0 ? config.models : [...(lists.known(config.name) ?? [])];
        const names = known.length > 0 ? known : defaultOf(config, defaultModel);
        return names.slice(0, maxListed).map((name) => modelInfo(config, name));
      }),
    activity: () => activityOf(gates),
    gates: () =>
      [...gates].flatMap(([model, gate]) => {
        const { calledAt, inFlight } = gate.state();
        return calledAt === null
          ? []
          : [{ model, inFlight, closed: gate.blocked()?.reason ?? null }];
      }),
    configured: () =>
      [...connections.values()].map(({ config: { name, limits } }) => ({
        name,
        limits: limits ?? {},
      })),
    async close() {
      await Promise.all([...connections.values()].map((connection) => connection.close()));
    },
  };
}

/** The latest `maxModels` that were asked for, each made once. */
function createKept<T>(onForgotten = (_id: string): unknown => undefined) {
  const kept = createRecent<T>(maxModels, { onForgotten });
  return {
    get(key: string, make: () => T): T {
      const value = kept.get(key) ?? make();
      kept.set(key, value);
      return value;
    },
  };
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
