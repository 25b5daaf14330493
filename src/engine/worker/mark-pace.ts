/**
 * The number of items that one mark statement covers, learned from whether the statements keep up.
 */
import type { WorkerState } from './state.ts';

/**
 * Items that one statement marks: this many, or this share of the concurrency. What is marked and
 * not sent yet when a crash comes is reported for nothing.
 */
const minAtOnce = 3;
const shareAtOnce = 0.05;
/**
 * Only where that does not keep up are more marked, twice as many each time. That is so after as
 * many late statements as fill all places one and a half times, or when they have come for that
 * time. A statement is late when more was to be marked at its end. Answers that come in by the
 * dozen, and a worker that starts, are no reason.
 */
const patience = 1.5;
const maxPatienceMs = 3_000;
/** So many statements in a row may find that they kept up, and the next are as long as before. */
const slack = 8;

export function firstAtOnce({ concurrency }: WorkerState): number {
  return Math.max(minAtOnce, Math.floor(concurrency * shareAtOnce));
}

/** Learns from the statement that has just ended. */
export function learnPace(state: WorkerState, now: number, keptUp: boolean): void {
  const { marks: pace, concurrency } = state;
  const first = firstAtOnce(state);
  const patientRaises = Math.ceil((patience * concurrency) / first);
  if (keptUp) {
    pace.late = Math.max(0, pace.late - 1);
    if (pace.late < patientRaises) pace.atOnce = Math.max(first, Math.floor(pace.atOnce / 2));
    return;
  }
  if (pace.late === 0) pace.lateSince = now;
  // Calls that wait for connections only make the pace longer where that goes on.
  if (!pace.isHeldUp || pace.late === 0) pace.late += 1;
  if (pace.late <= patientRaises && now - pace.lateSince <= maxPatienceMs) return;
  pace.late = patientRaises + slack;
  pace.atOnce = Math.min(pace.atOnce * 2, concurrency);
}
