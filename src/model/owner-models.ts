/** The providers as LIMITS lets an owner use them: some models, and so many calls at once. */
import { BadUserInput } from '../core/errors.ts';
import { type LimitsByOwner, limitsFor, namesModel } from '../core/limits.ts';
import { createOwnerCalls, type OwnerCalls } from './limits/owner-calls.ts';
import type { Model } from './model.ts';
import { ModelError } from './model-error.ts';
import type { Providers } from './providers.ts';

export interface OwnerModels {
  /**
   * The providers themselves where nothing limits the owner. A model that it may not name is
   * unknown: BadUserInput.
   */
  providersOf(owner: string): Providers;
  /**
   * The same for what is stored: `resolve` takes any model, as limits that came later do not stop
   * a batch.
   */
  storedProvidersOf(owner: string): Providers;
  /** Model calls of the owner that are under way; 0 where they are not limited. */
  callsOf(owner: string): number;
}

interface View {
  providers: Providers;
  stored: Providers;
  calls: OwnerCalls | null;
}

export function createOwnerModels(providers: Providers, limits: LimitsByOwner): OwnerModels {
  const views = new Map<string, View>();

  function viewOf(owner: string): View | null {
    const own = limitsFor(limits, owner);
    if (own === null || (own.models === null && own.modelCalls === null)) return null;
    const known = views.get(owner);
    if (known) return known;
    const calls = own.modelCalls === null ? null : createOwnerCalls(own.modelCalls);
    const view = viewFor(providers, { models: own.models, calls });
    const { resolve } = viewFor(providers, { models: null, calls });
    const made = { providers: view, stored: { ...view, resolve }, calls };
    views.set(owner, made);
    return made;
  }

  return {
    providersOf: (owner) => viewOf(owner)?.providers ?? providers,
    storedProvidersOf: (owner) => viewOf(owner)?.stored ?? providers,
    callsOf: (owner) => viewOf(owner)?.calls?.inFlight ?? 0,
  };
}

/** The bounds of one owner. */
interface Bounds {
  models: readonly string[] | null;
  calls: OwnerCalls | null;
}

/** The models of the providers by those of all views. */
const inner = new WeakMap<Model, Model>();

function viewFor(providers: Providers, { models, calls }: Bounds): Providers {
  /** The models of this view by those of the providers. */
  const bounded = new WeakMap<Model, Model>();
  const mayName = (id: string) => models === null || namesModel(models, id);
  const rule =
    models?.length === 0
      ? 'must be one of the models of this owner, and LIMITS gives it none'
      : `must be one of the models of this owner: ${models?.join(', ')}`;

  const innerOf = (model: Model) => inner.get(model) ?? model;

  function bound(model: Model): Model {
    // A name with two readings may become another model.
    if (inner.has(model) || (calls === null && model.readings === undefined)) return model;
    const known = bounded.get(model);
    if (known) return known;
    const made = boundModel(model, { calls, mayName, rule, bound, innerOf });
    bounded.set(model, made);
    inner.set(made, model);
    return made;
  }

  function named<Found extends Model | null>(find: () => Found, path = 'model'): Found | Model {
    let model: Found;
    try {
      model = find();
    } catch (error) {
      throw error instanceof BadUserInput && models !== null ? refused(path) : error;
    }
    if (model === null) return model;
    if (!mayName(model.id)) throw refused(path);
    return bound(model);
  }

  const refused = (path: string) => new BadUserInput([{ path, message: rule }]);

  return {
    ...providers,
    resolve: (id, path) => named(() => providers.resolve(id, path), path),
    resolveNamed: (name, model) => named(() => providers.resolveNamed(name, innerOf(model))),
    resolveAt: (provider, name) => named(() => providers.resolveAt(provider, name)),
    list: () => providers.list().filter(({ id }) => mayName(id)),
  };
}

interface Binding {
  calls: OwnerCalls | null;
  mayName(id: string): boolean;
  rule: string;
  bound(model: Model): Model;
  innerOf(model: Model): Model;
}

function boundModel(model: Model, { calls, mayName, rule, bound, innerOf }: Binding): Model {
  const { connecting, readings } = model;
  const refuseOther = () => {
    if (mayName(model.id)) return;
    throw new ModelError({ kind: 'batch', code: 'UNKNOWN_MODEL' }, `model ${rule}`);
  };
  return {
    get id() {
      return model.id;
    },
    get provider() {
      return model.provider;
    },
    get name() {
      return model.name;
    },
    get dialect() {
      return model.dialect;
    },
    get gate() {
      return calls ? calls.gateOf(model.gate) : model.gate;
    },
    get batches() {
      return model.batches;
    },
    get promptCache() {
      return model.promptCache;
    },
    bodyOf: (request) => model.bodyOf(request),
    async send(request, options) {
      refuseOther();
      return await model.send(request, options);
    },
    async stream(request, options) {
      refuseOther();
      return await model.stream(request, options);
    },
    ...(connecting ? { connecting } : {}),
    ...(readings
      ? {
          readings: {
            chosen: async () => bound(await readings.chosen()),
            confirm: (other: Model) => readings.confirm(innerOf(other)),
            ruleOut(asked: string, options: { back: boolean }) {
              const other = readings.ruleOut(asked, options);
              return other && mayName(other.id) ? bound(other) : null;
            },
            get told() {
              return readings.told;
            },
          },
        }
      : {}),
  };
}
