import type { EventName, Events, Facts } from '../../src/telemetry/events.ts';

const deadlineMs = 45_000;

interface Wanted<Name extends EventName> {
  /** The id of a batch that this process took in: events of this batch alone. */
  batch?: string;
  /** Asked once of each event, in their order. */
  where?: (fact: Facts[Name]) => boolean;
  timeoutMs?: number;
}

/** Waits for what a process tells of itself, without looking again and again. */
export interface Trail {
  /** The first such event from now on. */
  next<Name extends EventName>(name: Name, wanted?: Wanted<Name>): Promise<Facts[Name]>;
  /** The first such event since the start, be it past or to come. */
  first<Name extends EventName>(name: Name, wanted?: Wanted<Name>): Promise<Facts[Name]>;
  /** Waits until so many results of a batch are recorded, since it was submitted. */
  recorded(batch: string, results: number): Promise<void>;
  /** Looks at once, and again after each such event, until something truthy is found. */
  lookAfter<T>(name: EventName, look: () => Promise<T>): Promise<T>;
}

/** Of these the past is kept. Of items sent there are too many. */
const kept = [
  'batch.submitted',
  'batch.started',
  'batch.ended',
  'batch.stopped',
  'chunk.claimed',
  'result.recorded',
  'lease.lost',
  'lease.taken',
  'job.created',
  'job.ended',
  'upload.stored',
  'webhook.delivered',
  'webhook.failed',
] as const satisfies EventName[];

export function createTrail(events: Pick<Events, 'on'>): Trail {
  const past: { name: EventName; fact: Facts[EventName] }[] = [];
  const keys = new Map<string, bigint>();
  events.on('batch.submitted', ({ batch, batchKey }) => void keys.set(batch, batchKey));
  for (const name of kept) events.on(name, (fact) => void past.push({ name, fact }));

  function fits<Name extends EventName>(fact: Facts[Name], { batch, where }: Wanted<Name>) {
    if (batch !== undefined) {
      const isOf =
        'batchKey' in fact
          ? fact.batchKey === keys.get(batch)
          : 'batch' in fact && fact.batch === batch;
      if (!isOf) return false;
    }
    return where?.(fact) ?? true;
  }

  /** `off` ends the wait, which then never ends. */
  function hear<Name extends EventName>(name: Name, wanted: Wanted<Name>) {
    const { timeoutMs = deadlineMs, batch = 'any batch' } = wanted;
    let off = () => undefined as unknown;
    const told = new Promise<Facts[Name]>((resolve, reject) => {
      const late = setTimeout(() => {
        off();
        reject(new Error(`Waited ${timeoutMs} ms in vain for ${name} of ${batch}`));
      }, timeoutMs);
      const stop = events.on(name, (fact) => {
        if (!fits(fact, wanted)) return;
        off();
        resolve(fact);
      });
      off = () => {
        clearTimeout(late);
        stop();
      };
    });
    return { told, off: () => off() };
  }

  const first: Trail['first'] = async (name, wanted = {}) => {
    for (const one of past) {
      const fact = one.fact as Facts[typeof name];
      if (one.name === name && fits(fact, wanted)) return fact;
    }
    return await hear(name, wanted).told;
  };

  return {
    next: (name, wanted = {}) => hear(name, wanted).told,
    first,
    async recorded(batch, atLeast) {
      let sum = 0;
      await first('result.recorded', {
        batch,
        where({ results }) {
          sum += results;
          return sum >= atLeast;
        },
      });
    },
    async lookAfter(name, look) {
      for (;;) {
        const { told, off } = hear(name, {});
        try {
          const found = await look();
          if (found) return found;
          await told;
        } finally {
          off();
        }
      }
    },
  };
}
