import { setTimeout as delay } from 'node:timers/promises';

/** Between two looks: this long at first, then a part of the time that has gone by. */
const firstPauseMs = 10;
const share = 1 / 4;
/** A look costs a request or a statement: many of them slow down what is waited for. */
const longestPauseMs = 100;
/** Deadlines are for what hangs: a machine under load is slow, not broken. */
const SLACK = 3;

/**
 * Waits until `condition` answers with something truthy, and returns that. Throws at the deadline,
 * naming `what` was waited for; an error that the condition throws is thrown on at once.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { deadlineMs, what }: { deadlineMs: number; what: string },
): Promise<T> {
  const begun = Date.now();
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    const waitedMs = Date.now() - begun;
    if (waitedMs > deadlineMs * SLACK) {
      throw new Error(`Waited ${deadlineMs * SLACK} ms in vain: ${what}`);
    }
    await delay(Math.min(longestPauseMs, Math.max(firstPauseMs, waitedMs * share)));
  }
}
