/**
 * What Winnow costs between OpenAI's package and a provider: live calls a second, and the time to
 * the first byte of a stream, against a bare pass-through of node:http to the same provider.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answerOf, startWinnow } from './contestants.ts';
import { writeLines } from './data.ts';
import { median, medianRatio, nodeArguments, report, rounded } from './figures.ts';
import { openBenchPostgres } from './postgres.ts';
import { startStub } from './stub.ts';
import { connections, requestsPerSecond } from './sync.ts';
import { itemLines } from './throughput.ts';

const rounds = 5;
const warmUps = 1;
/** Streams of a round, one after the other. */
const streams = 50;
const goals = { rate: 0.6, firstByteMs: 5 };

const messages = [{ role: 'user', content: 'the app crashed twice, please refund my payment' }];
const path = '/v1/chat/completions';

export async function benchFaces(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'winnow-bench-'));
  const postgres = await openBenchPostgres();
  const stub = await startStub();
  const children: ChildProcess[] = [];
  const begin = async (name: string, ...given: string[]) => {
    const child = fork(fileURLToPath(new URL(name, import.meta.url)), given, {
      execArgv: [...nodeArguments],
    });
    children.push(child);
    return ((await answerOf(child)) as { url: string }).url;
  };
  const file = join(directory, 'items.jsonl');
  await writeLines(file, itemLines(1));
  const streamer = await begin('streamer.ts');
  const winnow = await startWinnow(
    {
      stubUrl: stub.url,
      concurrency: connections,
      databaseUrl: await postgres.database('winnow'),
    },
    file,
    { OPENAI_API_KEY: 'none', OPENAI_BASE_URL: `${streamer}/v1` },
  );
  const calls = { winnow: [] as number[], bare: [] as number[] };
  const firstBytes = { winnow: [] as number[], bare: [] as number[] };
  try {
    const sides = [
      { name: 'winnow', whole: winnow.url, streamed: winnow.url },
      {
        name: 'bare',
        whole: await begin('pass-through.ts', new URL(stub.url).origin),
        streamed: await begin('pass-through.ts', streamer),
      },
    ] as const;
    const whole = JSON.stringify({ model: 'stub/model', messages });
    const streamed = JSON.stringify({ model: 'openai/model', messages, stream: true });
    for (let round = -warmUps; round < rounds; round += 1) {
      for (const { name, ...side } of sides) {
        const answered = { body: whole, expected: '\\"label\\":\\"praise\\"' };
        const rate = await requestsPerSecond(`${side.whole}${path}`, answered);
        const ms = await firstByteMs(`${side.streamed}${path}`, streamed);
        if (round < 0) continue;
        calls[name].push(rate);
        firstBytes[name].push(ms);
      }
    }
  } finally {
    await winnow.stop();
    for (const child of children) child.kill();
    await stub.stop();
    await postgres.stop();
    await rm(directory, { recursive: true });
  }
  report(
    'faces',
    (['winnow', 'bare'] as const).map((side) => ({
      side,
      callsPerSecond: rounded(median(calls[side])),
      slowest: rounded(Math.min(...calls[side])),
      fastest: rounded(Math.max(...calls[side])),
      firstByteMs: rounded(median(firstBytes[side]), 2),
    })),
    [
      {
        name: 'calls a second, times a bare pass-through',
        value: medianRatio(calls.winnow, calls.bare),
        bound: ['>=', goals.rate],
      },
      {
        name: 'first byte of a stream, ms later than a bare pass-through',
        value: median(firstBytes.winnow) - median(firstBytes.bare),
        bound: ['<=', goals.firstByteMs],
      },
    ],
  );
}

/** The middle of some streams, one at a time. */
async function firstByteMs(url: string, body: string): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const measured: number[] = [];
  for (let stream = 0; stream < streams; stream += 1) {
    measured.push(await streamOnce(url, body, agent));
  }
  agent.destroy();
  return median(measured);
}

/** Milliseconds to the first byte. Throws where the stream does not come to its end. */
function streamOnce(url: string, body: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      let firstMs: number | null = null;
      let text = '';
      response.on('data', (piece) => {
        firstMs ??= performance.now() - startedAt;
        text += piece;
      });
      response.on('end', () => {
        if (text.endsWith('data: [DONE]\n\n')) resolve(firstMs ?? 0);
        else reject(new Error(`streamed ${text}`));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
