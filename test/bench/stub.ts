/**
 * Compiles and runs stub.c: a provider that is never the bottleneck, as one of node:http would be.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** How long an answer takes: milliseconds, for `lognormal` the median. */
export type Latency =
  | { mode: 'none' }
  | { mode: 'fixed'; ms: number }
  | { mode: 'lognormal'; ms: number; sigma: number };

export interface StubStats {
  requests: number;
  /** The most that were under way at once. */
  atOnce: number;
  /** The sum of the delays that were drawn. */
  delayMs: number;
  /** From the first request to the last answer. */
  spanMs: number;
  cpuMs: number;
  /** When each hundredth of the answers had been given, since the first request: 101 numbers. */
  answeredMs: number[];
}

export interface Stub {
  /** With /v1. */
  url: string;
  /** Forgets what was counted. The same delays come again in the same order. */
  reset(latency: Latency): Promise<void>;
  stats(): Promise<StubStats>;
  stop(): Promise<void>;
}

/** What every request of every contestant is answered with. */
export const answerText = '{"label":"praise","confidence":0.9}';

const completion = {
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1_750_000_000,
  model: 'model',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: answerText, refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 120, completion_tokens: 12, total_tokens: 132 },
};

/** Throws an Error that says what is missing where it cannot be built. */
export async function startStub(): Promise<Stub> {
  if (process.platform !== 'linux') {
    throw new Error(
      'The stand-in for a provider needs Linux (epoll), as do the CPU figures (/proc)',
    );
  }
  const directory = await mkdtemp(join(tmpdir(), 'winnow-stub-'));
  const program = join(directory, 'stub');
  const source = fileURLToPath(new URL('stub.c', import.meta.url));
  await run('cc', ['-O2', '-o', program, source, '-lm']).catch((cause: unknown) => {
    throw new Error('The stand-in for a provider needs a C compiler on the PATH, as `cc`', {
      cause,
    });
  });
  await writeFile(join(directory, 'answer.json'), JSON.stringify(completion));
  const child = spawn(program, [join(directory, 'answer.json')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  const origin = `http://127.0.0.1:${Number(port)}`;

  return {
    url: `${origin}/v1`,
    async reset(latency) {
      await (await fetch(`${origin}/reset?${new URLSearchParams(Object.entries(latency))}`)).text();
    },
    async stats() {
      return (await (await fetch(`${origin}/stats`)).json()) as StubStats;
    },
    async stop() {
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
      await rm(directory, { recursive: true });
    },
  };
}
