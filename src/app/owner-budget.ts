/**
 * Limits on the cost of calls outside of batches: before a call is sent, its expected cost is set
 * aside of its owner's month.
 */
import { randomBytes } from 'node:crypto';
import { AppError } from '../core/errors.ts';
import { type Cause, causeFields, type Log } from '../core/log.ts';
import { createRecent } from '../core/recent.ts';
import type { Database } from '../db/driver/client.ts';
import { askDatabase, type Presence } from '../db/driver/presence.ts';
import { limitOf, type OwnerLimits } from '../db/owner-limits.ts';
import { endReservation, reserve } from '../db/reservations.ts';
import { usd } from '../engine/process/cost-limit.ts';
import type { Providers } from '../model/providers.ts';
import { modelFields } from '../telemetry/log-events.ts';
import { priceOf } from './price-of.ts';

/** Longer than the ledger waits: what a call has cost is in one of them at every instant. */
const keptMs = 2_500;
/** Others that reckon at the same time make it try again at once, so often. */
const maxTries = 20;
/** Models that are known to have been told of; callers may name any number. */
export const maxTold = 1_000;
/** Tokens of an answer of which nothing is known. */
const usualOutputTokens = 150;

/** A call before it is sent. */
export interface Planned {
  /** As provider/name. */
  model: string;
  /** Characters of all prompts. */
  promptCharacters(): number;
  /** Answers that are asked for. */
  answers: number;
  /** Tokens that an answer may have; null without a limit. */
  maxOutputTokens: number | null;
  /** The request that makes it. */
  cause: Cause;
}

export interface OwnerBudget {
  /**
   * Sets aside what a call is expected to cost. Returns what is to be called when it has ended.
   * Throws BUDGET_EXCEEDED where the owner's month has no room for it, and DATABASE_UNAVAILABLE
   * where the database is away.
   */
  admit(owner: string, planned: Planned): Promise<() => void>;
  /**
   * An owner was erased with all that its calls had set aside: their ends give nothing back of what
   * others set aside since.
   */
  forgetHeld(): void;
}

/** The budgets of this process. Owners without a limit are let through at once. */
export function createOwnerBudget({
  dbOf,
  providers,
  limits,
  presence,
  log,
}: {
  /** The connections of an owner's requests. */
  dbOf: (owner: string) => Database;
  providers: Pick<Providers, 'prices'>;
  limits: OwnerLimits;
  presence: Pick<Presence, 'isSure'>;
  log: Pick<Log, 'warn'>;
}): OwnerBudget {
  let process = newName();
  const told = createRecent<true>(maxTold);

  function expectedUsd({ model, promptCharacters, answers, maxOutputTokens }: Planned) {
    const most = Math.min(maxOutputTokens ?? usualOutputTokens, usualOutputTokens);
    return priceOf(
      providers,
      { model, execution: 'LIVE' },
      { inputTokens: Math.ceil(promptCharacters() / 4), outputTokens: answers * most },
    );
  }

  function tellOf({ model, cause }: Planned): void {
    if (told.get(model)) return;
    told.set(model, true);
    log.warn(
      { ...modelFields(model), ...causeFields(cause) },
      'calls to a model without a known price cannot be held to a budget',
    );
  }

  return {
    forgetHeld() {
      process = newName();
    },
    async admit(owner, planned) {
      // What it costs could not be written, and a call that was paid must be answered.
      if (!presence.isSure()) await askDatabase(dbOf(owner));
      if (limitOf(limits, owner) === null) return () => undefined;
      const expected = expectedUsd(planned);
      if (expected === null) {
        tellOf(planned);
        return () => undefined;
      }
      const db = dbOf(owner);
      const reservation = { owner, process, usd: expected };
      for (let tries = 1; ; tries += 1) {
        const found = await reserve(db.sql, limits, reservation);
        if (!found || found.isReserved) break;
        if (!found.isFresh && tries < maxTries) continue;
        const { limitUsd, spentUsd, heldUsd, month } = found;
        throw new AppError(
          'BUDGET_EXCEEDED',
          `${owner} may spend ${usd(limitUsd)} in ${month}; ${usd(spentUsd)} were spent, calls under way cost about ${usd(heldUsd)}, and this one about ${usd(expected)}`,
        );
      }
      return () => {
        const end = () =>
          endReservation(db.sql, reservation).catch((error: unknown) =>
            log.warn(
              { err: error, ...causeFields(planned.cause) },
              'could not give back what a call had set aside',
            ),
          );
        setTimeout(end, keptMs).unref();
      };
    },
  };
}

/** A name for what this process sets aside, among all processes. */
function newName(): string {
  return `process_${randomBytes(9).toString('base64url')}`;
}
