/**
 * What a synchronous answer costs: `label` of one item through GraphQL, against a bare node:http
 * handler that makes the same call.
 */
import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answerOf, startWinnow } from './contestants.ts';
import { writeLines } from './data.ts';
import { median, medianRatio, nodeArguments, report, rounded } from './figures.ts';
import { openBenchPostgres } from './postgres.ts';
import { categories } from './request.ts';
import { startStub } from './stub.ts';
import { itemLines } from './throughput.ts';

const rounds = 5;
const warmUps = 1;
const roundMs = 3_000;
export const connections = 64;
const goal = 0.5;

const mutation =
  'mutation($items: [ItemInput!]!, $options: LabelOptions!) { label(items: $items, options: $options) { results { label error { code } } } }';

export async function benchSync(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'winnow-bench-'));
  const postgres = await openBenchPostgres();
  const stub = await startStub();
  const file = join(directory, 'items.jsonl');
  await writeLines(file, itemLines(1));
  const winnow = await startWinnow(
    {
      stubUrl: stub.url,
      concurrency: connections,
      databaseUrl: await postgres.database('winnow'),
    },
    file,
  );
  const bare = fork(fileURLToPath(new URL('bare-handler.ts', import.meta.url)), [stub.url], {
    execArgv: [...nodeArguments],
  });
  const rates = { winnow: [] as number[], bare: [] as number[] };
  try {
    const { url: bareUrl } = (await answerOf(bare)) as { url: string };
    const text = 'the app crashed twice, please refund my payment';
    const sides = [
      {
        name: 'winnow',
        url: `${winnow.url}/graphql`,
        body: JSON.stringify({
          query: mutation,
          variables: { items: [{ content: text }], options: { categories } },
        }),
      },
      { name: 'bare', url: bareUrl, body: JSON.stringify({ text }) },
    ] as const;
    for (let round = -warmUps; round < rounds; round += 1) {
      for (const { name, url, body } of sides) {
        const rate = await requestsPerSecond(url, { body, expected: '"label":"praise"' });
        if (round >= 0) rates[name].push(rate);
      }
    }
  } finally {
    await winnow.stop();
    bare.kill();
    await stub.stop();
    await postgres.stop();
    await rm(directory, { recursive: true });
  }
  report(
    'sync',
    (['winnow', 'bare'] as const).map((side) => ({
      side,
      requestsPerSecond: rounded(median(rates[side])),
      slowest: rounded(Math.min(...rates[side])),
      fastest: rounded(Math.max(...rates[side])),
    })),
    [
      {
        name: 'requests a second, times a bare handler',
        value: medianRatio(rates.winnow, rates.bare),
        bound: ['>=', goal],
      },
    ],
  );
}

/** Keeps `connections` requests under way for a while. Throws where an answer lacks `expected`. */
export async function requestsPerSecond(
  url: string,
  { body, expected }: { body: string; expected: string },
): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const startedAt = performance.now();
  let answers = 0;
  const ask = () =>
    new Promise<void>((resolve, reject) => {
      const sent = request(
        url,
        {
          method: 'POST',
          agent,
          headers: {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
          },
        },
        (response) => {
          let text = '';
          response.on('data', (piece) => {
            text += piece;
          });
          response.on('end', () => {
            if (!text.includes(expected)) reject(new Error(`answered ${text}`));
            answers += 1;
            resolve();
          });
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() - startedAt < roundMs) await ask();
    }),
  );
  agent.destroy();
  return (answers * 1_000) / (performance.now() - startedAt);
}
