/** Asks again, live and with the validator's message, what was answered invalidly: a further day of waiting would buy little. */
import type { NewResult } from '../db/results.ts';
import type { ItemAnswer, ItemRun, Step } from '../execute.ts';
import { ModelError } from '../model/model.ts';
import { change, type HeldJob, type Outcome } from './job.ts';

/** Calls at once, as far as the model's gate lets them. */
const atOnce = 16;
/** Calls are marked so far ahead, so that a crash knows what it cost. */
const marksAhead = 3;
/** A gate that is closed because its provider fails is asked again after this. */
const closedDelayMs = 1_000;

export interface Repair {
  index: number;
  /** Where its chunk begins. */
  first: number;
  run: ItemRun;
}

/** Rejects when the process is told to stop: what is lost by that is marked. `stop`: why the batch is to stop, if it is. */
export async function repairLive(
  job: HeldJob,
  repairs: readonly Repair[],
  record: (results: readonly NewResult[]) => Promise<void>,
): Promise<{ recorded: number; stop: Stop | null }> {
  if (repairs.length === 0) return { recorded: 0, stop: null };
  const queue = repairs.values();
  const answered: NewResult[] = [];
  const stops: Stop[] = [];
  const sent = new Set<ItemRun>();
  let started = 0;
  let marked = 0;
  let marking = Promise.resolve();

  /** Resolves once the mark is beyond what has been started. */
  function mark(): Promise<void> {
    started += 1;
    const wanted = started;
    marking = marking.then(async () => {
      if (wanted <= marked) return;
      marked = Math.min(repairs.length, wanted + marksAhead - 1);
      await change(job, { liveCalls: marked });
    });
    return marking;
  }

  async function work(): Promise<void> {
    for (const { index, first, run } of queue) {
      if (stops.length > 0) return;
      await mark();
      const driven = await drive(job, run, () => sent.add(run));
      if (driven.kind === 'stop') stops.push(driven);
      else answered.push({ index, first, ...driven.answer });
    }
  }

  const workers = Array.from({ length: Math.min(atOnce, repairs.length) }, work);
  const ends = await Promise.allSettled(workers);
  await record(answered);
  await change(job, { liveCalls: sent.size - answered.length });
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return { recorded: answered.length, stop: stops[0] ?? null };
}

type Stop = Extract<Outcome, { kind: 'stop' }>;
type Driven = { kind: 'answered'; answer: ItemAnswer } | Stop;

/** Sends until there is a final answer. */
async function drive(
  { stopping, ended }: HeldJob,
  run: ItemRun,
  onSent: () => void,
): Promise<Driven> {
  for (;;) {
    const step = await send(run, { stopping, ended, onSent });
    switch (step?.kind) {
      case 'final':
        return { kind: 'answered', answer: step.answer };
      case 'stop':
        return { ...step, over: false };
      case 'later':
        await pause(step.delayMs, stopping);
        break;
      case undefined:
        await pause(closedDelayMs, stopping);
        break;
      default:
    }
  }
}

/** Null where the gate lets nobody through. */
async function send(
  run: ItemRun,
  { stopping, ended, onSent }: Pick<HeldJob, 'stopping' | 'ended'> & { onSent: () => void },
): Promise<Step | null> {
  try {
    const permit = await run.model.gate.enter(stopping);
    onSent();
    return await run.send(permit, ended);
  } catch (error) {
    if (error instanceof ModelError) return null;
    throw error;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal.addEventListener('abort', abort, { once: true });
  });
}
