/**
 * The pump: everything that a worker does, in one order. It never waits. What it starts ends in an
 * event, and each event wakes it: an answer, a flush, a mark, a claim, a gate that opens, a nudge,
 * the lease, the timer, the stop.
 */
import { endBackOffs } from './back-off.ts';
import { claimDue, claimSoon } from './claims.ts';
import { hurryFlushes, nextFlushAt, startDueFlushes } from './flush.ts';
import { letGoOfHalted } from './halted.ts';
import { raiseMarks } from './marks.ts';
import { send, takeSendable } from './send.ts';
import type { WorkerState } from './state.ts';
import { noteWaits } from './waiting.ts';

/** Nudges are hints; these looks are the backstops behind them. */
const pollMs = 500;
const haltedLookMs = 250;

/**
 * Does all that is due.
 *
 *     record   starts the flushes that are due
 *     send     while a place is free: the next marked item in fair order whose gate is open
 *     mark     one statement at a time: the next items that gates and places allow, and a few ahead
 *     claim    one at a time: while fewer items are ready than calls may run, or a batch runs dry
 *     timer    the earliest of what time alone makes due
 *
 * The requests of a run are written before its mark. Else a crash between the two would report
 * those items and the newly marked ones, though none of them was sent.
 */
export function pump(state: WorkerState, now: number): void {
  if (state.stopped) return;
  endBackOffs(state, now);
  startDueFlushes(state, now);
  for (const call of takeSendable(state)) void send(state, call); // never rejects
  process.nextTick(raiseMarks, state, now); // behind the promises that the requests wait for
  hurryFlushes(state);
  claimDue(state, now);
  look(state, now);
  setTimer(state, now);
}

function look(state: WorkerState, now: number): void {
  if (now >= state.haltedLookAt) {
    state.haltedLookAt = now + haltedLookMs;
    void letGoOfHalted(state); // never rejects
  }
  if (now >= state.pollAt) {
    state.pollAt = now + pollMs;
    claimSoon(state);
    void noteWaits(state); // never rejects
  }
}

/** Gates have timers of their own. */
function setTimer(state: WorkerState, now: number): void {
  const { timer, clock, haltedLookAt, pollAt, backOffs } = state;
  const backOffAt = backOffs[0]?.at ?? Number.POSITIVE_INFINITY;
  const at = Math.min(nextFlushAt(state), backOffAt, haltedLookAt, pollAt);
  if (timer && timer.at <= at) return;
  timer?.cancel();
  const fire = () => {
    state.timer = null;
    state.wake();
  };
  state.timer = { at, cancel: clock.setTimer(fire, Math.max(0, Math.ceil(at - now))) };
}
