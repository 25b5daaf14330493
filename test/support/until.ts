import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 15;
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
  const deadline = Date.now() + deadlineMs * SLACK;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`Waited ${deadlineMs * SLACK} ms in vain: ${what}`);
    await delay(POLL_MS);
  }
}
