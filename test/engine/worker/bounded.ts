/** Several processes over one batch with a limit, and what their provider billed. */
import { createHash } from 'node:crypto';
import postgres from 'postgres';
import { type App, startApp } from '../../support/app.ts';
import { createTestDatabase } from '../../support/database.ts';
import { completion, startStubProvider } from '../../support/stub-provider.ts';
import { startProcess, type WinnowProcess } from './process.ts';
import { ask, submitQuoted, textOf, texts, untilBatch, untilEnded } from './support.ts';

const model = 'openai/gpt-4.1-mini';
/** USD per million tokens of prompt, by the list. */
const inputPrice = 0.4;
const meanTokens = 1_100;
/** Of an item. */
export const meanUsd = (meanTokens * inputPrice) / 1e6;

export interface BoundedRun {
  maxCostUsd: number;
  /** What the batch says of itself while it is paused. */
  costUsd: number;
  /** What the provider billed by then. */
  billedUsd: number;
  resentRequests: number;
  /** Of the dearest call. */
  mostUsd: number;
  /** How often each text was asked, when all of it was done. */
  asked: number[];
  succeeded: number;
}

export interface BoundedStage {
  /**
   * Runs `items` up to a limit of `share` of what they would cost, kills a worker half way where
   * `kill` says so, and lets the batch go on to its end. Tokens are drawn by `seed`.
   */
  run(options: { seed: number; items: number; share: number; kill: boolean }): Promise<BoundedRun>;
  close(): Promise<void>;
}

export async function setBoundedStage({
  workers,
  concurrency,
  latencyMs,
}: {
  workers: number;
  concurrency: number;
  latencyMs: number;
}): Promise<BoundedStage> {
  const database = await createTestDatabase();
  const stub = await startStubProvider();
  const env = {
    OPENAI_API_KEY: 'sk-stub',
    OPENAI_BASE_URL: stub.url,
    PROVIDERS: '',
    DEFAULT_MODEL: model,
    WORKER_CONCURRENCY: String(concurrency),
    WORKER_LEASE_MS: '3000',
  };
  const api: App = await startApp({ ...env, ROLE: 'api' }, { databaseUrl: database.url });
  const sql = postgres(database.url, { max: 2 });
  const crew: WinnowProcess[] = [];
  const hire = async (name: string) => {
    crew.push(await startProcess(name, { databaseUrl: database.url, sandbox: stub, env }));
  };
  await Promise.all(Array.from({ length: workers }, (_, at) => hire(`worker-${at}`)));

  return {
    async run({ seed, items, share, kill }) {
      stub.requests.length = 0;
      let billedUsd = 0;
      let mostUsd = 0;
      stub.reply(({ body }) => {
        const tokens = drawTokens(textOf(body), seed);
        const usd = (tokens * inputPrice) / 1e6;
        billedUsd += usd;
        mostUsd = Math.max(mostUsd, usd);
        return {
          body: completion('{"label":"praise","confidence":0.9}', {
            usage: { prompt_tokens: tokens, completion_tokens: 0 },
          }),
          delayMs: latencyMs,
        };
      });
      const maxCostUsd = items * share * meanUsd;
      const id = await submitQuoted(api, texts(items), {
        maxCostUsd,
        quote: { liveUsd: { expected: items * meanUsd } },
        set: (one, quote) => sql`update batches set quote = ${quote} where id = ${one}`,
      });
      if (kill) {
        await stub.received(Math.ceil((items * share) / 2));
        const [victim] = crew.splice(0, 1);
        victim?.signal('SIGKILL');
        await victim?.exited;
        await hire(`heir-${seed}`);
      }
      await untilBatch(
        api,
        id,
        ({ status, counts }) => status === 'PAUSED' && counts.processing === 0,
        {
          deadlineMs: 60_000,
          what: 'the pause',
        },
      );
      const { batch } = await ask<{
        batch: { usage: { costUsd: number }; resentRequests: number };
      }>(api, 'query($id: ID!) { batch(id: $id) { usage { costUsd } resentRequests } }', { id });
      const paused = { maxCostUsd, costUsd: batch.usage.costUsd, billedUsd, mostUsd };
      const { resentRequests } = batch;
      await ask(
        api,
        'mutation($id: ID!) { resumeBatch(id: $id, maxCostUsd: 1000) { batch { id } } }',
        { id },
      );
      const { counts } = await untilEnded(api, id, 60_000);
      const times = new Map<string, number>();
      for (const { body } of stub.requests) {
        times.set(textOf(body), (times.get(textOf(body)) ?? 0) + 1);
      }
      return { ...paused, resentRequests, asked: [...times.values()], succeeded: counts.succeeded };
    },
    async close() {
      for (const member of crew) member.signal('SIGKILL');
      await Promise.all(crew.map(({ exited }) => exited));
      await sql.end();
      await api.stop();
      await stub.close();
      await database.drop();
    },
  };
}

/** Uniform around the mean, with a standard deviation of half of it; the same for the same text. */
function drawTokens(text: string, seed: number): number {
  const [draw = 0] = new Uint32Array(
    createHash('sha256').update(`${seed} ${text}`).digest().buffer.slice(0, 4),
  );
  const spread = Math.sqrt(3) * 0.5;
  return Math.round(meanTokens * (1 - spread + 2 * spread * (draw / 2 ** 32)));
}
