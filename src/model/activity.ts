/**
 * States of the providers, as the gates of this process see them. Other processes read it as JSON.
 */
import type { GateState, SharedGate } from './limits/permit.ts';
import type { LearnedRates } from './limits/rates.ts';

/** A model whose last call is older is not told of. */
const lateMs = 600_000;
/** Names come from users, and the row of a process is written with every heartbeat. */
const maxModels = 50;

export interface ModelActivity extends LearnedRates {
  /** Calls that have no answer yet. */
  inFlight: number;
  /** False while every call fails. */
  up: boolean;
  /** Why it is not asked, for people; null while it answers. */
  reason: string | null;
}

interface ProviderActivity {
  /** False while a model fails every call, and no other model has answered since it does. */
  up: boolean;
  /** Calls in flight of all models. */
  inFlight: number;
  /** Models that were called within the last ten minutes, by their ids. */
  models: Record<string, ModelActivity>;
}

/** By provider; without those that were never called. */
export type Activity = Record<string, ProviderActivity>;

/** `gates` by the ids of their models. */
export function activityOf(gates: Iterable<readonly [string, SharedGate]>): Activity {
  const called = [...gates]
    .map(([id, gate]) => ({ id, provider: id.slice(0, id.indexOf('/')), ...seen(gate) }))
    .filter(({ calledAt }) => calledAt !== null)
    .sort((one, other) => (other.calledAt ?? 0) - (one.calledAt ?? 0));
  const providers = new Set(called.map(({ provider }) => provider));
  return Object.fromEntries(
    [...providers].map((provider) => [
      provider,
      providerActivity(called.filter((model) => model.provider === provider)),
    ]),
  );
}

type Seen = GateState & { id: string; provider: string; reason: string | null };

function seen(gate: SharedGate): GateState & { reason: string | null } {
  return { ...gate.state(), reason: gate.blocked()?.message ?? null };
}

function providerActivity(models: readonly Seen[]): ProviderActivity {
  const answeredAt = Math.max(...models.map((model) => model.answeredAt ?? -1));
  const late = models.filter(
    ({ calledAt, inFlight, now }) => inFlight > 0 || now - (calledAt ?? 0) < lateMs,
  );
  return {
    up: !models.some(({ failingSince }) => failingSince !== null && answeredAt <= failingSince),
    inFlight: models.reduce((sum, { inFlight }) => sum + inFlight, 0),
    models: Object.fromEntries(late.slice(0, maxModels).map((model) => [model.id, shown(model)])),
  };
}

function shown(model: Seen): ModelActivity {
  const { inFlight, failingSince, reason, requestsPerMinute, tokensPerMinute } = model;
  return { inFlight, up: failingSince === null, reason, requestsPerMinute, tokensPerMinute };
}
