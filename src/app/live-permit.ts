/** The permit of a live call: the wait for it, and what is told where none comes. */
import { withDeadline } from '../core/deadline.ts';
import { CallFailure } from '../core/errors.ts';
import type { Permit } from '../model/limits/permit.ts';
import type { Model } from '../model/model.ts';
import { ModelError } from '../model/model-error.ts';

/**
 * Waits for a permit of the model for up to `timeoutMs`. Throws CallFailure, or the signal's reason
 * when aborted.
 */
export async function enter(
  { gate, id }: Model,
  signal: AbortSignal,
  { timeoutMs }: { timeoutMs: number },
): Promise<Permit> {
  const free = gate.tryEnter();
  if (free) return free;
  const blocked = gate.blocked();
  // Nobody should wait two minutes to be told that it takes three.
  if (blocked && blocked.reason !== 'failing') {
    const retryAfterMs = blocked.until.getTime() - Date.now();
    if (retryAfterMs > timeoutMs) {
      throw new CallFailure('RATE_LIMITED', blocked.message, { retryAfterMs });
    }
  }
  const noPlace = () =>
    new CallFailure(
      'RATE_LIMITED',
      `${id} had no place for the call within ${timeoutMs} ms: too many are under way`,
    );
  try {
    return await withDeadline({ signal, afterMs: timeoutMs, late: noPlace }, (stop) =>
      gate.enter(stop),
    );
  } catch (error) {
    throw error instanceof ModelError ? failureOf(error) : error;
  }
}

/** Gives back the permit of a call that failed. `isAgain`: it failed before, says the caller. */
export function giveBack(permit: Permit, error: unknown, { isAgain }: { isAgain: boolean }): void {
  if (!(error instanceof ModelError)) {
    permit.release('aborted');
    return;
  }
  const { failure, message } = error;
  if (failure.kind === 'item') permit.release('ok');
  else if (failure.kind === 'batch') permit.release('refused');
  else {
    const failed = isAgain ? 'failed_again' : 'failed';
    const outcome = failure.code === 'RATE_LIMITED' ? 'rate_limited' : failed;
    permit.release(outcome, { retryAfterMs: failure.retryAfterMs, message });
  }
}

/** A failure as the caller hears of it. `more` is told behind the provider's own words. */
export function failureOf(error: ModelError, more?: string): CallFailure {
  const { failure, param, message } = error;
  return new CallFailure(failure.code, more ? `${message} ${more}` : message, {
    retryAfterMs: failure.kind === 'later' ? failure.retryAfterMs : null,
    param,
    cause: error,
  });
}
