/** Synchronous mutations: a few items at once, answered within a minute. */

import { pause, withDeadline } from '../core/deadline.ts';
import {
  AppError,
  BadUserInput,
  type BatchErrorCode,
  type ItemErrorCode,
  itemMessage,
} from '../core/errors.ts';
import type { Usage } from '../core/usage.ts';
import { beginCaching } from '../engine/run/caching.ts';
import { startItem } from '../engine/run/execute.ts';
import type { ItemAnswer, ItemRun, ItemStep } from '../engine/run/item-run.ts';
import type { Plan } from '../engine/run/plan.ts';
import { opened } from '../engine/run/priming.ts';
import type { Model } from '../model/model.ts';
import { ModelError } from '../model/model-error.ts';
import type { PromptItem } from '../operations/operation.ts';
import type { CallOrigin } from '../telemetry/events.ts';

/** A synchronous caller does not wait as long for a provider that fails: a few seconds. */
const maxFailures = 5;
export const deadlineMs = 60_000;

/**
 * Answers a few items at once, in order, waiting for rate limits and trying failures again for up
 * to 60 s in all. An item that fails is its own answer. Rejects with an AppError when no item could
 * succeed: key, quota, model, or a provider that does not answer. Rejects with the signal's reason
 * when the caller has gone.
 */
export async function answerItems(
  plan: Plan,
  items: readonly PromptItem[],
  {
    signal,
    onFault,
    onSpent,
    admit,
    origin,
  }: { signal: AbortSignal; onFault: OnFault; onSpent: OnSpent; admit: Admit; origin: CallOrigin },
): Promise<ItemAnswer[]> {
  const endsAt = Date.now() + deadlineMs;
  const answeredBefore = plan.model.gate.answered;
  const begun = items.map((item) => beginItem(plan, item, { onFault, origin }));
  await admit(begun.reduce((characters, { run }) => characters + run.promptLength, 0));
  const { length } = items;
  // Not waited for: where it has to be counted, the next call with these options knows.
  void beginCaching(plan, items, { asked: null, items: length, atOnce: length });
  const deadline = { signal, afterMs: deadlineMs, late: () => new DeadlineOver() };
  const answers = await withDeadline(deadline, (stop) =>
    Promise.all(
      begun.map(
        ({ run, refusal }) => refusal ?? answered(plan, run, { stop, endsAt, onFault, onSpent }),
      ),
    ),
  );
  if (plan.model.gate.answered === answeredBefore && answers.every(isUnanswered)) {
    throw new AppError(
      'PROVIDER_UNAVAILABLE',
      `${plan.model.provider} does not answer: ${firstMessage(answers)}`,
    );
  }
  return answers;
}

/** Told of each item what it has cost, whatever became of it, and of all of them together. */
type OnSpent = (model: string, usage: Usage) => void;

/** Told of what nobody foresaw, which its item alone ends with. */
type OnFault = (error: unknown) => void;

/** Told of the characters of all prompts before anything is sent; nothing is where it fails. */
type Admit = (promptCharacters: number) => void | Promise<void>;

/** Why calls are cut off that are under way when the time is up. */
class DeadlineOver extends Error {
  override readonly name = 'DeadlineOver';
}

/** `refusal`: the answer of an item that is not sent. */
function beginItem(
  plan: Plan,
  item: PromptItem,
  { onFault, origin }: { onFault: OnFault; origin: CallOrigin },
): { run: ItemRun; refusal: ItemAnswer | null } {
  const run = startItem(plan, item, origin);
  try {
    return { run, refusal: run.refusal() };
  } catch (error) {
    onFault(error);
    return { run, refusal: run.abandon() };
  }
}

async function answered(
  plan: Plan,
  run: ItemRun,
  { onSpent, ...how }: Parameters<typeof answerItem>[2] & { onSpent: OnSpent },
): Promise<ItemAnswer> {
  try {
    return await answerItem(plan, run, how);
  } finally {
    onSpent(plan.model.id, run.usage);
  }
}

async function answerItem(
  plan: Plan,
  run: ItemRun,
  { stop, endsAt, onFault }: { stop: AbortSignal; endsAt: number; onFault: OnFault },
): Promise<ItemAnswer> {
  const { gate } = plan.model;
  let giveUp: ItemAnswer | null = null;
  try {
    for (;;) {
      const blocked = gate.blocked();
      // Nobody should wait a minute to be told that it takes two.
      if (blocked?.reason === 'rate_limited' && blocked.until.getTime() > endsAt) {
        return giveUp ?? unanswered(run, 'RATE_LIMITED', blocked.message);
      }
      const step = await sendInTurn(plan, run, stop);
      switch (step.kind) {
        case 'final':
          return step.answer;
        case 'again':
          break;
        case 'stop':
          throw stopError(plan.model, step);
        case 'later':
          giveUp = step.giveUp;
          if (step.failures >= maxFailures) return giveUp;
          await pause(step.delayMs, stop);
      }
    }
  } catch (error) {
    // The gate lets nobody through while the provider fails every call.
    if (error instanceof ModelError && error.failure.kind === 'later') {
      return giveUp ?? unanswered(run, error.failure.code, error.message);
    }
    if (error instanceof AppError) throw error;
    if (!stop.aborted) {
      onFault(error);
      return run.abandon();
    }
    if (!(stop.reason instanceof DeadlineOver)) throw error;
    const message = `No answer within ${deadlineMs / 1000} s; a batch waits longer`;
    // The call that was cut off may have been billed.
    return { ...(giveUp ?? unanswered(run, 'TIMEOUT', message)), usage: run.usage };
  }
}

/** Sends under a permit: behind the first call where the prompt cache is yet to be written. */
async function sendInTurn(plan: Plan, run: ItemRun, stop: AbortSignal): Promise<ItemStep> {
  const { gate } = plan.model;
  for (;;) {
    const priming = plan.cache?.priming;
    if (priming) await opened(priming, stop);
    const permit = await gate.enter(stop);
    if (!priming) return await run.send(permit, stop);
    // Another one may have gone first while this one waited for its permit.
    if (!priming.mayBegin()) {
      permit.release('aborted');
      continue;
    }
    const isFirst = priming.begin();
    try {
      return await run.send(permit, stop);
    } finally {
      if (isFirst) priming.firstEnded();
    }
  }
}

/** The answer of an item that has none of its model. */
function unanswered(
  { attempts, usage }: ItemRun,
  code: ItemErrorCode,
  message: string,
): ItemAnswer {
  return {
    attempts,
    usage,
    outcome: { status: 'FAILED', error: { code, message: itemMessage(message) } },
  };
}

function stopError(model: Model, stop: { code: BatchErrorCode; message: string }): AppError {
  return stop.code === 'UNKNOWN_MODEL'
    ? new BadUserInput([{ path: 'options.model', message: stop.message }])
    : new AppError('PROVIDER_UNAVAILABLE', `${model.provider}: ${stop.message}`);
}

function isUnanswered({ outcome }: ItemAnswer): boolean {
  return (
    outcome.status === 'FAILED' &&
    (outcome.error.code === 'PROVIDER_ERROR' || outcome.error.code === 'TIMEOUT')
  );
}

function firstMessage(answers: readonly ItemAnswer[]): string {
  const outcome = answers[0]?.outcome;
  return outcome?.status === 'FAILED' ? outcome.error.message : 'no answer';
}
