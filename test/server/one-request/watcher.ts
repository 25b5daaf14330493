/**
 * A process that asks a server small things at short intervals, each kind on a connection of its
 * own, and reads its memory. It is told whom to watch by a message, and answers what it saw when it
 * is told to stop.
 */
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export interface Watch {
  pid: number;
  url: string;
  headers: Record<string, string>;
}

export interface Sighting {
  longestWaitMs: number;
  longestReadMs: number;
  /** Null where there is no /proc. */
  peakMb: number | null;
  /** At the end of the watch. */
  endMb: number | null;
  /**
   * How many times longer than its own work something takes, because others work on the machine.
   */
  slowdown: number;
  /** Requests that nobody answered, or that were not answered with data. */
  failures: number;
}

const tiny = { query: '{ __typename }', everyMs: 10 };
/** A server that is stopped for longer is as good as dead. */
const patienceMs = 20_000;
const read = { query: '{ batches(first: 1) { edges { node { id } } } }', everyMs: 100 };

let stop: (() => void) | null = null;

process.on('message', (message) => {
  if (message === 'stop') stop?.();
  else void watch(message as Watch).then((sighting) => process.send?.(sighting));
});

async function watch({ pid, url, headers }: Watch): Promise<Sighting> {
  const slowdown = measureSlowdown();
  let stopped = false;
  let failures = 0;
  let peakMb = memoryOf(pid);
  stop = () => {
    stopped = true;
  };

  async function longest({ query, everyMs }: typeof tiny): Promise<number> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let longestMs = 0;
    do {
      const startedAt = performance.now();
      if (!(await ask(url, query, headers, agent))) failures += 1;
      longestMs = Math.max(longestMs, performance.now() - startedAt);
      await delay(everyMs);
    } while (!stopped);
    agent.destroy();
    return longestMs;
  }

  const sampling = setInterval(() => {
    peakMb = Math.max(peakMb ?? 0, memoryOf(pid) ?? 0) || null;
  }, 10);
  const [longestWaitMs, longestReadMs] = await Promise.all([longest(tiny), longest(read)]);
  clearInterval(sampling);
  return {
    longestWaitMs,
    longestReadMs,
    peakMb,
    endMb: memoryOf(pid),
    slowdown: Math.max(slowdown, measureSlowdown()),
    failures,
  };
}

/** By 50 ms of work of this process' own. */
function measureSlowdown(): number {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  for (;;) {
    const { user, system } = process.cpuUsage(before);
    const workMs = (user + system) / 1_000;
    if (workMs >= 50) return Math.max(1, (performance.now() - startedAt) / workMs);
  }
}

function ask(
  url: string,
  query: string,
  headers: Record<string, string>,
  agent: Agent,
): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request(
      `${url}/graphql`,
      { method: 'POST', agent, headers: { 'content-type': 'application/json', ...headers } },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => {
          text += piece;
        });
        response.on('end', () => resolve(text.startsWith('{"data":{')));
        response.on('error', () => resolve(false));
      },
    );
    asked.setTimeout(patienceMs, () => asked.destroy(new Error('no answer')));
    asked.on('error', () => resolve(false));
    asked.end(JSON.stringify({ query }));
  });
}

/** The resident memory of a process in MB; null where there is no /proc, or no such process. */
function memoryOf(pid: number): number | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
    return kilobytes === undefined ? null : Number(kilobytes) / 1024;
  } catch {
    return null;
  }
}
