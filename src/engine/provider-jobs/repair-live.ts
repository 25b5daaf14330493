/**
 * Asks again, live and with the validator's message, what was answered invalidly: a further day of
 * waiting would buy little.
 */
import { pause } from '../../core/deadline.ts';
import type { NewResult } from '../../db/results.ts';
import { ModelError } from '../../model/model-error.ts';
import type { ItemAnswer, ItemRun, ItemStep } from '../run/item-run.ts';
import { change, endWantedNow, type JobStep, type StepOutcome } from './job.ts';
import type { RepairLimit } from './repair-limit.ts';

/** Calls at once, as far as the model's gate lets them. */
const atOnce = 16;
/** Calls are marked so far ahead, so that a crash knows what it cost. */
const marksAhead = 3;
/** So many answers are recorded together: what waits for that is lost by a crash. */
const keptTogether = 16;
/** A gate that is closed because its provider fails is asked again after this. */
const closedDelayMs = 1_000;
/** Time between looks whether the batch is to end: no call starts over 1 s after a cancel. */
const wantedMs = 500;

export interface Repair {
  index: number;
  /** Where its chunk begins. */
  first: number;
  run: ItemRun;
}

/**
 * Rejects when the process is told to stop: what is lost by that is marked. Where the batch comes
 * to be ended, calls in flight are aborted, and the rest is left unanswered: `left`. Where it is
 * paused, or `limit` leaves nothing, they end, and none follows. `stop`: why the batch is to stop,
 * if it is.
 */
export async function repairLive(
  step: JobStep,
  repairs: readonly Repair[],
  {
    limit,
    record,
  }: {
    /** Null without one. */
    limit: RepairLimit | null;
    record: (results: readonly NewResult[]) => Promise<void>;
  },
): Promise<{ left: Repair[]; stop: Stop | null }> {
  if (repairs.length === 0) return { left: [], stop: null };
  const queue = repairs.values();
  const answered: { run: ItemRun; result: NewResult }[] = [];
  const stops: Stop[] = [];
  /** Requests of each run that went out, of all runs, and of those whose answer is recorded. */
  const requests = new Map<ItemRun, number>();
  const ended = new Set<ItemRun>();
  let sent = 0;
  let kept = 0;
  let marked = 0;
  /** Their writes, one after the other: marks rise before a call, and fall after its record. */
  let writing = Promise.resolve();

  function write(work: () => Promise<void>): Promise<void> {
    writing = writing.then(work);
    return writing;
  }

  /** Resolves once the mark covers the next request of the run. */
  async function mark(run: ItemRun): Promise<void> {
    requests.set(run, (requests.get(run) ?? 0) + 1);
    sent += 1;
    const wanted = sent;
    const ahead = Math.min(marksAhead - 1, repairs.length - requests.size);
    await write(async () => {
      if (wanted <= marked) return;
      marked = wanted + ahead;
      await change(step, { liveCalls: marked - kept });
    });
  }

  function keep(): Promise<void> {
    return write(async () => {
      const results = answered.splice(0);
      if (results.length === 0) return;
      await record(results.map(({ result }) => result));
      for (const { run } of results) {
        ended.add(run);
        kept += requests.get(run) ?? 0;
      }
      await change(step, { liveCalls: marked - kept });
    });
  }

  async function work(signals: Signals): Promise<void> {
    for (const { index, first, run } of queue) {
      if (stops.length > 0 || step.job.paused) return;
      const driven = await drive(run, {
        ...signals,
        maySend: () => !step.job.paused && (limit?.admits(run) ?? true),
        onSend: () => mark(run),
        onSent: () => limit?.ended(run),
        onFault: (error) =>
          step.log.error(
            { err: error, ...step.origin.about, providerBatch: step.job.id, index },
            'an item failed in an unforeseen way',
          ),
      });
      if (driven === null) return;
      if (driven.kind === 'stop') stops.push(driven);
      else answered.push({ run, result: { index, first, ...driven.answer } });
      if (answered.length >= keptTogether) await keep();
    }
  }

  const watch = watchWanted(step);
  const signals = {
    stopping: AbortSignal.any([step.stopping, watch.signal]),
    ended: AbortSignal.any([step.ended, watch.signal]),
  };
  const workers = Array.from({ length: Math.min(atOnce, repairs.length) }, () => work(signals));
  const ends = await Promise.allSettled(workers);
  watch.stop();
  await keep();
  // What was refused as no item would succeed has been answered as well.
  await change(step, { liveCalls: sent - kept - stops.length });
  for (const end of ends) {
    if (end.status === 'rejected' && !watch.signal.aborted) throw end.reason;
  }
  const left = repairs.filter(({ run }) => !ended.has(run));
  return { left, stop: stops[0] ?? null };
}

type Stop = Extract<StepOutcome, { kind: 'stop' }>;
type Driven = { kind: 'answered'; answer: ItemAnswer } | Stop;
type Signals = Pick<JobStep, 'stopping' | 'ended'>;
/** `onSend` resolves when it is written down that a call is about to go out. */
type Sending = Signals & {
  /** False: the next request of the item is not to be sent. */
  maySend: () => boolean;
  onSend: () => Promise<void>;
  /** The request has ended, or did not go out. */
  onSent: () => void;
  /** Told of what nobody foresaw, which its item alone ends with. */
  onFault: (error: unknown) => void;
};

/** Aborts once the batch is to end. */
function watchWanted(step: JobStep): { signal: AbortSignal; stop: () => void } {
  const wanted = new AbortController();
  const timer = setInterval(() => {
    endWantedNow(step).then(
      (end) => end && wanted.abort(new Error('the batch is to end')),
      () => undefined, // a database that fails now is noticed by the next write
    );
  }, wantedMs);
  return { signal: wanted.signal, stop: () => clearInterval(timer) };
}

/** Sends until there is a final answer; null where a pause or a limit came before it. */
async function drive(run: ItemRun, sending: Sending): Promise<Driven | null> {
  while (sending.maySend()) {
    const next = await send(run, sending).finally(sending.onSent);
    switch (next?.kind) {
      case 'final':
        return { kind: 'answered', answer: next.answer };
      case 'stop':
        return { ...next, over: false };
      case 'later':
        await pause(next.delayMs, sending.stopping);
        break;
      case undefined:
        await pause(closedDelayMs, sending.stopping);
        break;
      default:
    }
  }
  return null;
}

/** Null where the gate lets nobody through. */
async function send(
  run: ItemRun,
  { stopping, ended, onSend, onFault }: Sending,
): Promise<ItemStep | null> {
  try {
    const permit = await run.model.gate.enter(stopping);
    try {
      await onSend();
    } catch (error) {
      permit.release('aborted');
      throw error;
    }
    return await run.send(permit, ended).catch((error: unknown) => {
      if (ended.aborted) throw error;
      onFault(error);
      return { kind: 'final', answer: run.abandon() } as const;
    });
  } catch (error) {
    if (error instanceof ModelError) return null;
    throw error;
  }
}
