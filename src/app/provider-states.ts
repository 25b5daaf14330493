/** States of providers and workers, over all processes. */
import type { Database } from '../db/driver/client.ts';
import { type LiveProcess, listProcesses } from '../db/workers.ts';
import type { Activity, ModelActivity } from '../model/activity.ts';
import type { Providers } from '../model/providers.ts';

/** This process's own state, which is newer than what it wrote. */
export interface OwnProcess {
  /** Null without a lease. */
  id(): string | null;
  concurrency: number;
}

interface Limits {
  /** Null while unknown. */
  requestsPerMinute: number | null;
  tokensPerMinute: number | null;
  /** True where they were learned from answers. */
  learned: boolean;
}

export interface ModelState extends Limits {
  model: string;
  inFlight: number;
  up: boolean;
  /** For people; null while it answers. */
  reason: string | null;
}

export interface ProviderState extends Limits {
  name: string;
  inFlight: number;
  /** Null before the first call. */
  up: boolean | null;
  reason: string | null;
  models: ModelState[];
}

export interface WorkerState {
  id: string;
  startedAt: Date;
  concurrency: number;
}

interface Needs {
  db: Pick<Database, 'query'>;
  providers: Providers;
  defaultModel: string;
  /** With keys, a model that is not listed may be one that another owner alone knows. */
  withKeys: boolean;
  ownProcess: OwnProcess;
}

export async function readWorkers({ db, ownProcess }: Needs): Promise<WorkerState[]> {
  const live = await listProcesses(db);
  return live
    .filter(({ works }) => works)
    .map(({ id, startedAt, concurrency }) => ({
      id,
      startedAt,
      // Those of a version that does not tell are taken to be configured like this one.
      concurrency: concurrency ?? ownProcess.concurrency,
    }));
}

export async function readProviders(needs: Needs): Promise<ProviderState[]> {
  const { db, providers, defaultModel, withKeys, ownProcess } = needs;
  const own = providers.activity();
  const ownId = ownProcess.id();
  const others = (await listProcesses(db)).filter(({ id }) => id !== ownId);
  const all = [own, ...others.map(activityIn)];
  const listed = new Set([defaultModel, ...providers.list().map(({ id }) => id)]);
  const mayShow = (id: string) => !withKeys || listed.has(id);
  return providers.configured().map(({ name, limits }) => {
    const told = all.flatMap((activity) => activity[name] ?? []);
    const ids = new Set(told.flatMap(({ models }) => Object.keys(models)));
    const models = [...ids]
      .filter(mayShow)
      .sort()
      .map((id) =>
        modelState(
          id,
          told.flatMap(({ models }) => models[id] ?? []),
          providers,
        ),
      );
    const up = told.length === 0 ? null : told.every((one) => one.up);
    return {
      name,
      inFlight: sumOf(told),
      up,
      reason: reasonOf(models) ?? (up === false ? 'A model of this provider fails.' : null),
      requestsPerMinute: limits.requestsPerMinute ?? null,
      tokensPerMinute: limits.tokensPerMinute ?? null,
      learned: false,
      models,
    };
  });
}

function activityIn({ state }: LiveProcess): Activity {
  return state === null ? {} : (JSON.parse(state) as Activity);
}

/** `told`: what each process says of the model. */
function modelState(
  model: string,
  told: readonly ModelActivity[],
  providers: Providers,
): ModelState {
  const configured = providers.limits(model);
  const learned = {
    requestsPerMinute: learnedOf(told.map((one) => one.requestsPerMinute)),
    tokensPerMinute: learnedOf(told.map((one) => one.tokensPerMinute)),
  };
  const requestsPerMinute = configured?.requestsPerMinute ?? learned.requestsPerMinute;
  const tokensPerMinute = configured?.tokensPerMinute ?? learned.tokensPerMinute;
  return {
    model,
    inFlight: sumOf(told),
    up: told.every(({ up }) => up),
    reason: reasonOf(told),
    requestsPerMinute,
    tokensPerMinute,
    learned:
      (configured?.requestsPerMinute === undefined && requestsPerMinute !== null) ||
      (configured?.tokensPerMinute === undefined && tokensPerMinute !== null),
  };
}

/** Headers may name any number; none above the largest Int limits anything. */
const maxInt = 2 ** 31 - 1;

function learnedOf(perMinute: readonly (number | null)[]): number | null {
  const known = firstOf(perMinute);
  return known === null ? null : Math.min(known, maxInt);
}

/** A failure says more than a limit. */
function reasonOf(told: readonly { up: boolean; reason: string | null }[]): string | null {
  const failing = told.filter(({ up }) => !up);
  return firstOf([...failing, ...told].map(({ reason }) => reason));
}

function firstOf<Value>(values: readonly (Value | null)[]): Value | null {
  return values.find((value) => value !== null) ?? null;
}

function sumOf(told: readonly { inFlight: number }[]): number {
  return told.reduce((sum, { inFlight }) => sum + inFlight, 0);
}
