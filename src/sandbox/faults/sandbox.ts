/** A sandbox that tests drive to fail as providers fail, and watch. */
import type { NewBatch } from '../wire/equipment.ts';
import {
  type SandboxOptions as PlainOptions,
  type Sandbox as PlainSandbox,
  startSandbox,
} from '../wire/server.ts';
import { type Calls, createCalls } from './calls.ts';
import { alterBy } from './content.ts';
import { rowOutcome } from './failures.ts';
import {
  createDelays,
  createFaults,
  type Delay,
  type Fault,
  type FaultList,
  type FaultRequest,
  type Faults,
  isContentFault,
} from './faults.ts';
import { createJournal, type Requests } from './journal.ts';
import { createLive } from './live.ts';
import { fateOf, type Outcome } from './outcomes.ts';
import type { RateLimits } from './rate-limit.ts';

export interface SandboxOptions extends PlainOptions {
  /** Delay of every live answer, in milliseconds. */
  latencyMs?: Delay;
  /** Limits of live requests; each provider's clients have their own buckets. */
  limits?: RateLimits;
  /** Number of requests to keep for `requests.journal`. */
  journal?: number;
}

export interface Sandbox extends PlainSandbox {
  /** Faults of live requests, and of the rows of batches. */
  readonly faults: Faults;
  /** Live requests: chat completions and messages. */
  readonly requests: Requests;
  readonly batches: SandboxBatches;
  /** Live requests received and not yet ended. */
  readonly inFlight: number;
  /** Sets other limits from now on, with full buckets; null for none. */
  limit(limits: RateLimits | null): void;
  /**
   * Resolves as soon as the condition holds. The condition is tried after every arrival and end of
   * a request, and every step of a batch.
   */
  until(condition: (sandbox: Sandbox) => boolean): Promise<void>;
}

type SandboxBatches = PlainSandbox['batches'] & {
  readonly calls: Calls['counts'];
  /** Faults of single calls. */
  readonly callFaults: Calls['faults'];
  /** Outcomes of whole batches. Single rows fail by `sandbox.faults`. */
  readonly outcomes: FaultList<Outcome, NewBatch>;
};

export async function startFaultySandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const faults = createFaults<Fault, FaultRequest>();
  const outcomes = createFaults<Outcome, NewBatch>();
  const journal = createJournal(options.journal ?? 0);
  const delay = createDelays(options.latencyMs ?? 0);
  const limits = options.limits ?? null;
  const live = createLive({ faults, journal, delay, limits, changed });
  const calls = createCalls(changed);
  const waiting = new Set<{ condition: (sandbox: Sandbox) => boolean; resolve: () => void }>();

  const plain = await startSandbox(options, {
    live: live.handle,
    call: calls.run,
    row(request, dialect) {
      const { fault } = faults.decide(request);
      if (!fault) return { alter: null, instead: null };
      return isContentFault(fault)
        ? { alter: alterBy(fault), instead: null }
        : { alter: null, instead: rowOutcome(fault, dialect) };
    },
    batch(batch) {
      const { fault } = outcomes.decide(batch);
      return fault && fateOf(fault);
    },
    changed,
  });

  function changed(): void {
    for (const one of waiting) {
      if (!one.condition(sandbox)) continue;
      waiting.delete(one);
      one.resolve();
    }
  }

  const sandbox: Sandbox = {
    url: plain.url,
    anthropicUrl: plain.anthropicUrl,
    demandKey: plain.demandKey,
    close: plain.close,
    faults,
    requests: journal,
    batches: Object.assign(plain.batches, {
      calls: calls.counts,
      callFaults: calls.faults,
      outcomes,
    }),
    get inFlight() {
      return live.inFlight;
    },
    limit: live.limit,
    until(condition) {
      if (condition(sandbox)) return Promise.resolve();
      return new Promise((resolve) => waiting.add({ condition, resolve }));
    },
  };
  return sandbox;
}
