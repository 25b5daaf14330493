/**
 * What one request does to everybody else: a server in a process of its own, attacked from here,
 * while a further process asks it `{__typename}` every 10 ms on a connection of its own and reads
 * its memory, and a batch of another owner goes on.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startProcess, type WinnowProcess } from '../../engine/worker/process.ts';
import { createTestDatabase } from '../../support/database.ts';
import { type StubProvider, startStubProvider } from '../../support/stub-provider.ts';
import { startNeighbour } from './neighbour.ts';
import type { Sighting, Watch } from './watcher.ts';

/**
 * What a request may cost others: a wait on top of the longest one without it, a small read of the
 * database, memory, time in all. On a machine that others work on, each wait may be as many times
 * longer as all work takes there.
 */
const bounds = { waitMs: 250, readMs: 1_000, rssMb: 150, caseMs: 15_000 };

/** For what is set up, on a machine that is as busy as it likes. */
const prepareMs = 100_000;

const attackerKey = 'anna-key-0123456789abcdefgh';
const neighbourKey = 'bert-key-0123456789abcdefgh';

const watcher = fileURLToPath(new URL('./watcher.ts', import.meta.url));
/** The longest wait without an attack is looked for so long, before each one. */
const baselineMs = 1_500;
/**
 * Before a later attack on the same process only so long, because the machine may have got busier.
 */
const laterBaselineMs = 300;
/**
 * A machine that is busy for a moment fails no case: a bound that does not hold is broken each
 * time.
 */
export const busyRetries = 2;
/** What an attack leaves running shows after its answer. */
const settleMs = 300;

/** Whom an attack is made on. */
export interface Target {
  readonly url: string;
  readonly socketUrl: string;
  /** The attacker's key; empty on a server without keys. */
  readonly headers: Record<string, string>;
  /** The key of the owner who watches; empty on a server without keys. */
  readonly neighbour: Record<string, string>;
  /** What the server's one model, `test/rules`, is asked and answers with. */
  readonly provider: StubProvider;
  /** Aborted when the case has taken as long as it may. */
  readonly signal: AbortSignal;
  /** A POST to /graphql with the attacker's key, and its answer as text. */
  post(body: unknown): Promise<{ status: number; text: string }>;
}

export interface Report {
  /** The longest that another waited for `{__typename}` beside the attack. */
  readonly longestWaitMs: number;
  /** The same without an attack, just before it. */
  readonly baselineWaitMs: number;
  /** The longest that another owner waited for a page of batches. */
  readonly longestReadMs: number;
  readonly baselineReadMs: number;
  /** Null where the machine has no /proc to read it from. */
  readonly rssRiseMb: number | null;
  readonly attackMs: number;
  /** Whether the process still runs. */
  readonly alive: boolean;
  /** Every bound that was broken, in words with its number; empty where all hold. */
  readonly breaches: readonly string[];
}

export interface Victim {
  readonly provider: StubProvider;
  readonly databaseUrl: string;
  /** The process that runs now: after a breach, the next attack starts another. */
  readonly process: WinnowProcess;
  /** Sets up what an attack needs, such as a large file: nobody watches, no time is asserted. */
  prepare<Made>(work: (target: Target) => Promise<Made>): Promise<Made>;
  /**
   * Runs an attack to its end, or until the case has taken as long as it may. `fresh`: on a process
   * that nobody has attacked.
   */
  attack(
    work: (target: Target) => Promise<unknown>,
    options?: { fresh?: boolean },
  ): Promise<Report>;
  stop(): Promise<void>;
}

/**
 * Starts `src/main.ts` as server and worker, on a database and with a provider of its own.
 * `providers`: base URLs of further ones, by name, whose model is `rules`.
 */
export async function startVictim({
  withKeys,
  env = {},
  providers = {},
}: {
  withKeys: boolean;
  env?: Record<string, string>;
  providers?: Record<string, string>;
}): Promise<Victim> {
  const database = await createTestDatabase();
  const provider = await startStubProvider();
  const other = await startNeighbour();
  const keys = { API_KEYS: `anna:${attackerKey},bert:${neighbourKey}` };
  const headersOf = (key: string): Record<string, string> =>
    withKeys ? { authorization: `Bearer ${key}` } : {};
  const [headers, neighbour] = [headersOf(attackerKey), headersOf(neighbourKey)];
  const watching = fork(watcher, { execArgv: ['--import', import.meta.resolve('tsx')] });

  async function start(): Promise<WinnowProcess> {
    const started = await startProcess('victim', {
      databaseUrl: database.url,
      sandbox: provider,
      env: {
        CONSOLE: 'off',
        ROLE: 'all',
        PROVIDERS: JSON.stringify(
          Object.fromEntries(
            Object.entries({ test: provider.url, slow: other.provider.url, ...providers }).map(
              ([name, baseURL]) => [name, { baseURL, models: ['rules'] }],
            ),
          ),
        ),
        ...(withKeys ? keys : {}),
        ...env,
      },
    });
    // What runs for the first time is compiled first.
    await watch(started, () => delay(500));
    return started;
  }

  async function watch(
    { pid, url }: WinnowProcess,
    work: () => Promise<unknown>,
  ): Promise<Sighting> {
    const order: Watch = { pid, url, headers: neighbour };
    watching.send(order);
    try {
      await work();
    } finally {
      watching.send('stop');
    }
    const [sighting] = (await once(watching, 'message')) as [Sighting];
    return sighting;
  }

  /** What others waited without an attack: looked for long once, and shortly before each. */
  async function baseline(): Promise<Sighting> {
    const now = await watch(running, () => delay(usual ? laterBaselineMs : baselineMs));
    usual = {
      ...now,
      longestWaitMs: Math.max(now.longestWaitMs, usual?.longestWaitMs ?? 0),
      longestReadMs: Math.max(now.longestReadMs, usual?.longestReadMs ?? 0),
    };
    return usual;
  }

  let usual: Sighting | null = null;
  let running = await start();
  let isDead = false;
  /** Whether an attack may have left something in the process that runs. */
  let isSpoilt = false;
  void watchDeath(running);

  async function watchDeath(one: WinnowProcess): Promise<void> {
    await one.exited;
    if (one === running) isDead = true;
  }

  async function end(): Promise<void> {
    running.signal('SIGKILL');
    await running.exited;
  }

  async function restart(): Promise<void> {
    await end();
    running = await start();
    await other.startAnew({ url: running.url, headers: neighbour });
    usual = null;
    isDead = false;
    isSpoilt = false;
    void watchDeath(running);
  }

  function targetOf(url: string, signal: AbortSignal): Target {
    return {
      url,
      socketUrl: `${url.replace('http', 'ws')}/graphql`,
      headers,
      neighbour,
      provider,
      signal,
      async post(body) {
        const response = await fetch(`${url}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: typeof body === 'string' ? body : JSON.stringify(body),
          signal,
        });
        return { status: response.status, text: await response.text() };
      },
    };
  }

  return {
    provider,
    databaseUrl: database.url,
    get process() {
      return running;
    },
    async prepare(work) {
      if (isDead || isSpoilt) await restart();
      return await work(targetOf(running.url, AbortSignal.timeout(prepareMs)));
    },
    async attack(work, { fresh = false } = {}) {
      if (fresh || isDead || isSpoilt) await restart();
      const { url } = running;
      const server = { url, headers: neighbour };
      await other.keepBusy(server);
      const before = await baseline();
      const signal = AbortSignal.timeout(bounds.caseMs);
      const target = targetOf(url, signal);
      const startedAt = performance.now();
      let attackMs = 0;
      let failure: unknown = null;
      const beside = await watch(running, async () => {
        try {
          await Promise.race([work(target), running.exited, ended(signal)]);
        } catch (error) {
          failure = error;
        }
        attackMs = performance.now() - startedAt;
        await delay(settleMs);
      });
      const problems = isDead ? [] : await other.problems(server);
      const report = reportOf(before, beside, { attackMs, isDead, problems });
      isSpoilt = report.breaches.length > 0;
      // What a test asserts of an answer is its own to tell, unless the server has died of it.
      if (failure !== null && report.breaches.length === 0) throw failure;
      return report;
    },
    async stop() {
      await end();
      await stopChild(watching);
      await provider.close();
      await other.provider.close();
      await database.drop();
    },
  };
}

/** Never, but for a signal that aborts. */
async function ended(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

async function stopChild(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

function reportOf(
  before: Sighting,
  beside: Sighting,
  { attackMs, isDead, problems }: { attackMs: number; isDead: boolean; problems: string[] },
): Report {
  const alive = !isDead;
  const rssRiseMb =
    beside.peakMb === null || before.endMb === null ? null : beside.peakMb - before.endMb;
  const slowdown = Math.max(before.slowdown, beside.slowdown);
  const waitBound = bounds.waitMs * slowdown + before.longestWaitMs;
  const readBound = bounds.readMs * slowdown + before.longestReadMs;
  const breaches = [
    ...(alive ? [] : ['the server died']),
    ...problems,
    ...(beside.failures > 0 ? [`${beside.failures} requests of others failed`] : []),
    ...over('{__typename} waited', beside.longestWaitMs, waitBound, 'ms'),
    ...over('a page of batches waited', beside.longestReadMs, readBound, 'ms'),
    ...over('memory rose by', rssRiseMb ?? 0, bounds.rssMb, 'MB'),
    ...over('the attack took', attackMs, bounds.caseMs, 'ms'),
  ];
  return {
    longestWaitMs: beside.longestWaitMs,
    baselineWaitMs: before.longestWaitMs,
    longestReadMs: beside.longestReadMs,
    baselineReadMs: before.longestReadMs,
    rssRiseMb,
    attackMs,
    alive,
    breaches,
  };
}

function over(what: string, value: number, bound: number, unit: string): string[] {
  return value <= bound
    ? []
    : [`${what} ${Math.round(value)} ${unit}, at most ${Math.round(bound)} ${unit}`];
}
