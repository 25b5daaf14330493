/**
 * The parts that speak to models: the providers, the sandbox among them, and the plans of
 * operations.
 */
import { randomBytes } from 'node:crypto';
import type { ModelsOfOwner } from '../app/caller.ts';
import type { Config } from '../config.ts';
import type { Log } from '../core/log.ts';
import { type Counter, createCounter } from '../counting/counter.ts';
import { createPrefixCount } from '../engine/run/count-beginning.ts';
import { createPlanner, type Plan, type StoredOperation } from '../engine/run/plan.ts';
import { createOwnerModels } from '../model/owner-models.ts';
import { createProviders, type Providers } from '../model/providers.ts';
import { startSandbox } from '../sandbox/wire/server.ts';
import type { Events } from '../telemetry/events.ts';
import type { Ending } from './ending.ts';

export interface Models {
  providers: Providers;
  counter: Counter;
  /** Models that an owner may use: all, where LIMITS does not name it. */
  modelsOf(owner: string): ModelsOfOwner;
  /** Model calls of an owner that are under way, where LIMITS bounds them. */
  callsOf(owner: string): number;
  /** The plan of a batch. */
  prepareStored(stored: StoredOperation): Plan;
  /** States of the providers, as JSON; null where nothing is known. */
  activityText(): string | null;
}

export async function openModels(
  config: Config,
  ending: Ending,
  { log, events }: { log: Log; events: Events },
): Promise<Models> {
  // Other accounts of this machine could otherwise read every owner's rows from the sandbox.
  const sandboxKey = randomBytes(24).toString('base64url');
  const sandbox = await startSandbox({ apiKey: sandboxKey });
  ending.add(() => sandbox.close());
  const providers = createProviders({
    configs: [
      ...config.providers,
      {
        name: 'sandbox',
        baseUrl: sandbox.url,
        apiKey: sandboxKey,
        headers: {},
        query: {},
        models: ['rules'],
        closed: true,
        batches: true,
      },
    ],
    timeoutMs: config.modelTimeoutMs,
    concurrency: config.workerConcurrency,
    defaultModel: config.defaultModel,
    prices: config.prices,
    log,
    events,
  });
  ending.add(() => providers.close());
  const counter = createCounter();
  ending.add(() => counter.stop());
  const preparePlan = createPlanner({
    providers,
    defaultModel: config.defaultModel,
    extraBody: config.extraBody,
    countPrefix: createPrefixCount(counter),
    events,
  });
  const ownerModels = createOwnerModels(providers, config.limits);
  const everything: ModelsOfOwner = { providers, preparePlan };
  const modelsOf = (owner: string): ModelsOfOwner => {
    const own = ownerModels.providersOf(owner);
    if (own === providers) return everything;
    return {
      providers: own,
      preparePlan: (operation, params, model, time) =>
        preparePlan(operation, params, model, time, own),
    };
  };
  return {
    providers,
    counter,
    modelsOf,
    callsOf: ownerModels.callsOf,
    prepareStored: ({ owner, operation, options, model }) =>
      preparePlan(
        operation,
        JSON.parse(options) as Record<string, unknown>,
        model,
        undefined,
        ownerModels.storedProvidersOf(owner),
      ),
    activityText() {
      const activity = providers.activity();
      return Object.keys(activity).length === 0 ? null : JSON.stringify(activity);
    },
  };
}
