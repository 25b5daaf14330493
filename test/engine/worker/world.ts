/** A database, a lease and models in memory, whose every answer comes when a test lets it. */
import { createLog } from '../../../src/core/log.ts';
import { noTokens } from '../../../src/core/usage.ts';
import type { ClaimedChunk } from '../../../src/db/chunks.ts';
import { aloneFromCrashes } from '../../../src/db/reclaims.ts';
import { createPlanner } from '../../../src/engine/run/plan.ts';
import { compareLeases } from '../../../src/engine/worker/claims.ts';
import { letGoOfHalted } from '../../../src/engine/worker/halted.ts';
import type { HeldBatch } from '../../../src/engine/worker/held-batch.ts';
import { isMarked, runsAlone } from '../../../src/engine/worker/held-item.ts';
import { pump } from '../../../src/engine/worker/pump.ts';
import { forgetAll } from '../../../src/engine/worker/release.ts';
import { createState, type WorkerState } from '../../../src/engine/worker/state.ts';
import type { Statements } from '../../../src/engine/worker/statements.ts';
import { createGate } from '../../../src/model/limits/gate.ts';
import type { Model, ModelAnswer } from '../../../src/model/model.ts';
import type { ModelError } from '../../../src/model/model-error.ts';
import { createPrices } from '../../../src/model/prices.ts';
import type { PromptRequest } from '../../../src/model/request.ts';
import { createEvents } from '../../../src/telemetry/events.ts';
import { createVirtualClock } from '../../model/virtual.ts';

export interface BatchSpec {
  owner: 'a' | 'b';
  model: 'x' | 'y';
  /** Of each chunk, how many items, and how many workers died under it. */
  chunks: { items: number; crashes: number }[];
}

interface StoredChunk {
  first: number;
  last: number;
  holder: string | null;
  sentTo: number;
  repeats: number;
  crashes: number;
  /** How often each item was sent under this lease; a 429 counts for nothing. */
  sends: Map<number, number>;
  /** Items that were answered invalidly under this lease. */
  spoiled: Set<number>;
}

interface StoredBatch {
  key: bigint;
  owner: string;
  model: string;
  total: number;
  chunks: StoredChunk[];
  results: Set<number>;
  isPaused: boolean;
}

/** A call that a model has not answered. */
interface OpenCall {
  batch: StoredBatch;
  index: number;
  alone: boolean;
  answer(): void;
  /** Answers invalidly, once an item. */
  spoil(): void;
  refuse(error: ModelError): void;
}

/** A statement that the database has not answered. */
interface OpenStatement {
  /** Done, and the answer still on its way. */
  run(): void;
  apply(): void;
  fail(options: { applied: boolean }): void;
}

const answer: ModelAnswer = {
  text: '{"label":"praise","confidence":0.9}',
  completion: {},
  tokens: { ...noTokens, inputTokens: 1, outputTokens: 1 },
  costUsd: null,
  logprobs: null,
};

/** A worker tries statements again after this. */
const retryDelayMs = 500;

const invalid: ModelAnswer = { ...answer, text: '{"label":"neither"}' };

export type World = ReturnType<typeof createWorld>;

/**
 * `giveBacksSeeEarly`: what gives items back sees the results that there are when it is asked.
 * `connectsLate`: each request waits for a connection of its own, until the test makes it.
 */
export function createWorld(
  specs: readonly BatchSpec[],
  concurrency: number,
  gatePlaces: number,
  { giveBacksSeeEarly = false, connectsLate = false } = {},
) {
  const clock = createVirtualClock();
  const batches = new Map<bigint, StoredBatch>();
  const statements: OpenStatement[] = [];
  const calls: OpenCall[] = [];
  /** Makes the connections that requests wait for. */
  const connections: (() => void)[] = [];
  let connectionListeners = new Set<() => void>();
  /** Final answers that the worker has, and the database does not. */
  const unstored = new Set<string>();
  /** Times that each item was sent, and reasons for it: the first time, a failure, a loss. */
  const sends = new Map<string, number>();
  const reasons = new Map<string, number>();
  /** Promises that were broken. The worker would catch what is thrown where they are found. */
  const broken = new Set<string>();
  let marking = 0;
  /** Statements that calls wait for which have ended, and until when one may be tried again. */
  let settling = 0;
  let settlesUntil = Number.NEGATIVE_INFINITY;
  /** Calls of the pump under way, with who had been served when. */
  let sentNow: Served[] = [];
  const served: Served['served'] = { owners: new Map(), batches: new Map() };

  let lease: string | null = 'worker_1';
  let leases = 1;
  /** Looks at the lease before one finds that it has run out. */
  let looksLeft = Number.POSITIVE_INFINITY;

  for (const [at, { owner, model, chunks }] of specs.entries()) {
    let first = 0;
    const stored = chunks.map(({ items, crashes }) => {
      const chunk = {
        first,
        last: first + items - 1,
        holder: null,
        sentTo: first - 1,
        repeats: 0,
        crashes,
        sends: new Map(),
        spoiled: new Set<number>(),
      };
      first += items;
      return chunk;
    });
    const key = BigInt(at + 1);
    batches.set(key, {
      key,
      owner,
      model,
      total: first,
      chunks: stored,
      results: new Set(),
      isPaused: false,
    });
  }

  const nameOf = (batch: StoredBatch, index: number) => `${batch.key}/${index}`;
  const chunkOf = (batch: StoredBatch, index: number) => {
    const chunk = batch.chunks.find(({ first, last }) => first <= index && index <= last);
    if (!chunk) throw new Error(`no chunk has item ${index}`);
    return chunk;
  };
  const isDone = ({ total, results }: StoredBatch) => results.size === total;
  const openOf = (batch: StoredBatch, { first, last }: StoredChunk) =>
    Array.from({ length: last - first + 1 }, (_, at) => first + at).filter(
      (index) => !batch.results.has(index),
    );

  /** Answered later: applied, or failed before or after that. */
  function ask<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      let done: { answer: T } | null = null;
      const run = () => {
        done ??= { answer: work() };
        return done.answer;
      };
      statements.push({
        run,
        apply: () => resolve(run()),
        fail({ applied }) {
          if (applied) run();
          reject(new Error('the connection broke'));
        },
      });
    });
  }

  /** A statement that calls wait for which have ended. */
  function settle<T>(work: () => T): Promise<T> {
    settling += 1;
    const ended = () => {
      settling -= 1;
    };
    const asked = ask(work);
    asked.then(ended, () => {
      ended();
      settlesUntil = clock.now() + retryDelayMs;
    });
    return asked;
  }

  /** Free places, as the database and the models see them. */
  const free = () => concurrency - calls.length - unstored.size;

  const database: Statements = {
    claim: ({ worker, after, limit, onlyBatchKeys }) =>
      ask(() => {
        const open = [...batches.values()].filter(
          ({ key, chunks, ...batch }) =>
            (onlyBatchKeys?.includes(key) ?? true) &&
            !batch.isPaused &&
            chunks.some(
              (chunk) =>
                chunk.holder === null && openOf({ key, chunks, ...batch }, chunk).length > 0,
            ),
        );
        const owners = [...new Set(open.map(({ owner }) => owner))].sort();
        const owner = owners.find((name) => name > after.owner) ?? owners[0];
        const own = open.filter((batch) => batch.owner === owner);
        const last = after.batches.get(String(owner)) ?? 0n;
        const batch = own.find(({ key }) => key > last) ?? own[0];
        if (!batch) return { chunks: [], bounded: null };
        const taken = batch.chunks
          .filter((chunk) => chunk.holder === null && openOf(batch, chunk).length > 0)
          .sort((a, b) => a.crashes - b.crashes || a.first - b.first)
          .slice(0, limit);
        const chunks = taken.map((chunk): ClaimedChunk => {
          chunk.holder = worker;
          chunk.sentTo = chunk.first - 1;
          chunk.repeats = 0;
          chunk.sends.clear();
          chunk.spoiled.clear();
          const { first, last: end, sentTo, crashes } = chunk;
          const done = end - first + 1 - openOf(batch, chunk).length;
          const place = { batchKey: batch.key, batchOwner: batch.owner, begun: false };
          return { ...place, first, last: end, done, sentTo, crashes, twins: 0 };
        });
        return { chunks, bounded: null };
      }),
    claimWithin: () => ask(() => null),
    readStanding: () => ask(() => null),
    hasOwnerLimit: () => false,
    readOwnerStanding: () => ask(() => null),
    pauseForBudget: () => ask(() => false),
    pauseForOwner: () => ask(() => false),
    readPlan: (key) =>
      ask(() => {
        const batch = batches.get(key);
        if (!batch || isDone(batch) || batch.isPaused) return null;
        const file = { listed: false, format: 'TEXT', columns: '[]' };
        return {
          key,
          id: `batch_${key}`,
          owner: batch.owner,
          fileKey: key,
          operation: 'label',
          options: JSON.stringify({ categories: ['praise', 'complaint'] }),
          model: batch.model,
          twins: 0,
          isInPreview: false,
          file,
          reading: { contentField: null, customIdField: null, customIdPrefix: null },
        } as never;
      }),
    copyTwins: async () => null,
    pausePreview: async () => false,
    readItems: ({ batchKey, first, last }) =>
      ask(() => {
        const batch = batches.get(batchKey) as StoredBatch;
        return openOf(batch, { first, last } as StoredChunk).map((index) => ({
          index,
          customId: null,
          content: nameOf(batch, index),
          fields: null,
          row: null,
        }));
      }),
    mark(worker, marks) {
      let items = 0;
      for (const { batchKey, first, sentTo, repeats } of marks) {
        const batch = batches.get(batchKey) as StoredBatch;
        const chunk = chunkOf(batch, first);
        if (chunk.holder !== worker) continue;
        const { sentTo: before } = chunk;
        items += repeats;
        items += openOf(batch, chunk).filter((index) => before < index && index <= sentTo).length;
      }
      if (items > free()) broken.add('more is marked than has a place');
      if (calls.some(({ alone }) => alone)) broken.add('something is marked beside a lonely item');
      // A call whose item is given back counts as under way until that is stored.
      const isSettling = settling > 0 || clock.now() <= settlesUntil;
      if (!isSettling && state.inFlight > calls.length + connections.length)
        broken.add('a mark goes before a request');
      if (connections.length > 0 && connections.length + items > state.marks.atOnce)
        broken.add('more is marked and not sent than one statement marks');
      marking += 1;
      const asked = ask(() => {
        for (const { batchKey, first, sentTo, repeats } of marks) {
          const chunk = chunkOf(batches.get(batchKey) as StoredBatch, first);
          if (chunk.holder !== worker) continue;
          chunk.sentTo = Math.max(chunk.sentTo, Math.min(chunk.last, sentTo));
          chunk.repeats += repeats;
        }
      });
      const ended = () => {
        marking -= 1;
      };
      asked.then(ended, ended);
      return asked;
    },
    record: ({ batchKey, worker, results }) =>
      ask(() => {
        const batch = batches.get(batchKey) as StoredBatch;
        let recorded = 0;
        for (const { index, repeats = 0 } of results) {
          if (worker === lease) unstored.delete(nameOf(batch, index));
          const chunk = chunkOf(batch, index);
          if (chunk.holder !== worker || batch.results.has(index)) continue;
          batch.results.add(index);
          chunk.sends.delete(index);
          chunk.repeats -= repeats;
          recorded += 1;
        }
        for (const chunk of batch.chunks) {
          if (openOf(batch, chunk).length === 0) chunk.holder = null;
        }
        const status = isDone(batch) ? ('COMPLETED' as const) : ('PROCESSING' as const);
        const told = { owner: 'local', operation: 'label', execution: 'LIVE', seconds: 0 } as const;
        return { recorded, items: [], status, ending: null, ...told };
      }),
    release: ({ worker, batchKey }) =>
      ask(() => {
        for (const chunk of batches.get(batchKey)?.chunks ?? []) {
          if (chunk.holder === worker) chunk.holder = null;
        }
      }),
    releaseUnknown: (worker, known) =>
      ask(() => {
        let released = 0;
        for (const { key, chunks } of batches.values()) {
          for (const chunk of chunks) {
            const isKnown = known.some((k) => k.batchKey === key && k.first === chunk.first);
            if (chunk.holder !== worker || isKnown) continue;
            chunk.holder = null;
            released += 1;
          }
        }
        return released;
      }),
    releaseUnsent({ worker, batchKey, parts }) {
      const batch = batches.get(batchKey) as StoredBatch;
      const openAt = parts.map(({ first }) => openOf(batch, chunkOf(batch, first)).length);
      return settle(() => {
        const missed: number[] = [];
        for (const [at, { first, keptTo }] of parts.entries()) {
          const chunk = chunkOf(batch, first);
          if (chunk.holder !== worker) continue;
          const seen = giveBacksSeeEarly ? openAt[at] : openOf(batch, chunk).length;
          if (keptTo >= first && openOf(batch, chunk).length !== seen) {
            missed.push(first);
            continue;
          }
          if (
            calls.some(
              (call) => call.batch === batch && call.index > keptTo && call.index <= chunk.last,
            )
          )
            broken.add('what is under way is given back');
          if (keptTo < first) chunk.holder = null;
          else if (keptTo < chunk.last) {
            batch.chunks.push({
              ...chunk,
              first: keptTo + 1,
              holder: null,
              sentTo: keptTo,
              repeats: 0,
              sends: new Map(),
              spoiled: new Set(),
            });
            chunk.last = keptTo;
            chunk.sentTo = Math.min(chunk.sentTo, keptTo);
            if (openOf(batch, chunk).length === 0) chunk.holder = null;
          }
        }
        return missed;
      });
    },
    readHalted: (keys) =>
      ask(() => {
        const held = keys.map((key) => batches.get(key) as StoredBatch);
        return {
          stopped: held.filter(isDone).map(({ key }) => key),
          paused: held.filter((batch) => batch.isPaused && !isDone(batch)).map(({ key }) => key),
          bounded: [],
        };
      }),
    noteWaiting: () => ask(() => undefined),
    beginFailure: () => settle(() => false),
  };

  /** True where the crash of this worker would be charged to another item that is to run alone. */
  function chargedBeside(chunk: StoredChunk): boolean {
    return [...batches.values()].some((batch) =>
      batch.chunks.some(
        (other) =>
          other !== chunk &&
          other.holder === lease &&
          other.crashes >= aloneFromCrashes &&
          openOf(batch, other).some((index) => index <= other.sentTo),
      ),
    );
  }

  function sent(text: string, { signal }: Parameters<Model['send']>[1]): Promise<ModelAnswer> {
    const [key = '', index = ''] = text.split('/');
    const batch = batches.get(BigInt(key)) as StoredBatch;
    const chunk = chunkOf(batch, Number(index));
    if (lease === null || chunk.holder !== lease) broken.add('sent under no lease');
    if (chunk.sentTo < Number(index)) broken.add('sent before it was marked');
    chunk.sends.set(Number(index), (chunk.sends.get(Number(index)) ?? 0) + 1);
    if (repeatsOf(chunk) > chunk.repeats) broken.add('sent again before that was marked');
    if (free() <= 0) broken.add('sent without a place');
    const alone = chunk.crashes >= aloneFromCrashes;
    if (alone && calls.length + unstored.size + marking > 0) broken.add('not alone');
    if (alone && chargedBeside(chunk)) broken.add('marked beside a lonely item');
    if (calls.some((call) => call.alone)) broken.add('sent beside a lonely item');
    count(sends, text);
    if (sends.get(text) === 1) count(reasons, text);
    const held = state.batches.get(batch.key);
    const call = held && serve(served, held);
    // Connections are made in any order.
    if (call && !alone && !connectsLate) sentNow.push(call);
    return new Promise((resolve, reject) => {
      const call: OpenCall = {
        batch,
        index: Number(index),
        alone,
        answer() {
          end();
          if (!signal.aborted) unstored.add(text);
          resolve(answer);
        },
        spoil() {
          if (chunk.spoiled.has(Number(index))) return call.answer();
          chunk.spoiled.add(Number(index));
          end();
          count(reasons, text);
          resolve(invalid);
        },
        refuse(error) {
          end();
          const { failure } = error;
          if (failure.kind === 'later' && !failure.counts) {
            chunk.sends.set(Number(index), (chunk.sends.get(Number(index)) ?? 1) - 1);
          }
          count(reasons, text);
          reject(error);
        },
      };
      const abort = () => {
        end();
        count(reasons, text);
        reject(signal.reason as Error);
      };
      const end = () => {
        calls.splice(calls.indexOf(call), 1);
        signal.removeEventListener('abort', abort);
      };
      signal.addEventListener('abort', abort);
      calls.push(call);
    });
  }

  /** The connection is made, too, of a request that is given up meanwhile. */
  function connected(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      connections.push(resolve);
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  }

  function connect(at: number): void {
    const [made] = connections.splice(at, 1);
    made?.();
    const told = connectionListeners;
    connectionListeners = new Set();
    for (const listener of told) listener();
  }

  const models = new Map(
    ['x', 'y'].map((name): [string, Model] => [
      name,
      {
        id: `test/${name}`,
        provider: 'test',
        name,
        dialect: 'openai',
        gate: createGate({ maxConcurrency: gatePlaces, clock, random: () => 0.5 }),
        connecting: {
          get count() {
            return connections.length;
          },
          whenFewer: (listener) => connectionListeners.add(listener),
        },
        batches: null,
        stream: () => Promise.reject(new Error('nobody asks for it')),
        async send(request, options) {
          // As the package does, before it writes a request.
          for (let step = 0; step < 10; step += 1) await null;
          options.signal.throwIfAborted();
          options.permit.begin(() => 1);
          if (connectsLate) await connected(options.signal);
          options.signal.throwIfAborted();
          const { messages } = request as PromptRequest;
          return sent(messages.find(({ role }) => role === 'user')?.content ?? '', options);
        },
        bodyOf: () => ({}),
      },
    ]),
  );
  const modelOf = (id: string) => models.get(id) as Model;
  const preparePlan = createPlanner({
    providers: {
      resolve: modelOf,
      resolveNamed: modelOf,
      resolveAt: () => null,
      prices: () => createPrices('test', 'model'),
      limits: () => null,
      list: () => [],
      learn: async () => undefined,
      activity: () => ({}),
      gates: () => [],
      configured: () => [],
      share: () => undefined,
      close: async () => undefined,
    },
    defaultModel: 'x',
  });

  const log = createLog('silent', { role: 'all' });
  const state = createState(
    {
      lease: {
        id() {
          if (lease !== null && looksLeft-- <= 0) loseLease();
          return lease;
        },
      },
      concurrency,
      statements: database,
      preparePlan: ({ operation, options, model }) =>
        preparePlan(operation, JSON.parse(options) as Record<string, unknown>, model),
      publisher: { publish: () => undefined, publishLast: async () => undefined },
      nudges: { send: async () => undefined },
      clock,
      log,
      events: createEvents(log),
      tracing: null,
    },
    (given, now) => {
      sentNow = [];
      pump(given, now);
      for (const problem of [...wrongCounters(given), ...unfair(given, sentNow)])
        broken.add(problem);
    },
  );

  /** The lease ends, and its chunks are taken back. */
  function loseLease(): void {
    if (lease === null) return;
    lease = null;
    looksLeft = Number.POSITIVE_INFINITY;
    reap();
    for (const name of unstored) count(reasons, name);
    unstored.clear();
    forgetAll(state);
  }

  /** Opens the chunks of workers who are dead. */
  function reap(): void {
    for (const { chunks } of batches.values()) {
      for (const chunk of chunks) if (chunk.holder !== lease) chunk.holder = null;
    }
  }

  return {
    state,
    clock,
    batches,
    statements,
    calls,
    connections,
    connect,
    sends,
    unstored,
    broken,
    reasons,
    /** A paused batch goes on, another pauses; the worker looks. */
    pauseOrResume(key: bigint) {
      const batch = batches.get(key) as StoredBatch;
      batch.isPaused = !batch.isPaused;
      void letGoOfHalted(state); // never rejects
    },
    resumeAll() {
      for (const batch of batches.values()) batch.isPaused = false;
    },
    isOver: () => [...batches.values()].every(isDone),
    loseLease,
    /** The lease runs out unnoticed, and is found lost at a later look at it. */
    expireLease(looks: number) {
      looksLeft = looks;
    },
    renewLease() {
      if (lease === null) {
        leases += 1;
        lease = `worker_${leases}`;
      }
      reap();
      compareLeases(state);
    },
  };
}

/** Requests beyond the first of each item. */
function repeatsOf({ sends }: StoredChunk): number {
  let repeats = 0;
  for (const times of sends.values()) repeats += Math.max(0, times - 1);
  return repeats;
}

/** A call, with who had been served when before it. */
interface Served {
  batch: HeldBatch;
  served: { owners: Map<string, number>; batches: Map<HeldBatch, number> };
}

function serve(served: Served['served'], batch: HeldBatch): Served {
  const before = { owners: new Map(served.owners), batches: new Map(served.batches) };
  const turn = Math.max(0, ...served.owners.values()) + 1;
  served.owners.set(batch.owner, turn);
  served.batches.set(batch, turn);
  return { batch, served: before };
}

/** Of two batches that could both be sent, the one that was served before the other waits. */
function unfair(state: WorkerState, sent: readonly Served[]): string[] {
  const waiting = [...state.batches.values()].filter(({ ready: [item] }) => {
    return item && isMarked(item) && !runsAlone(item);
  });
  const isBefore = ({ owners, batches }: Served['served'], a: HeldBatch, b: HeldBatch) => {
    const byOwner = (owners.get(a.owner) ?? 0) - (owners.get(b.owner) ?? 0);
    return (byOwner || (batches.get(a) ?? 0) - (batches.get(b) ?? 0)) < 0;
  };
  return sent.flatMap(({ batch, served }) =>
    waiting
      .filter((other) => other.plan.model === batch.plan.model && isBefore(served, other, batch))
      .map(() => 'a batch was sent out of its turn'),
  );
}

/** The numbers of the state are what its batches sum up to, and within the concurrency. */
function wrongCounters(state: WorkerState): string[] {
  const held = [...state.batches.values()];
  const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
  return [
    state.ready === sum(held.map(({ ready }) => ready.length)) ? [] : ['ready is wrong'],
    state.unwritten === sum(held.map(({ unwritten }) => unwritten)) ? [] : ['unwritten is wrong'],
    state.inFlight + state.unwritten <= state.concurrency ? [] : ['more than the concurrency'],
  ].flat();
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
