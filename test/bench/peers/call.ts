/** What a job of the queues does: Winnow's own client, the same request, the answer parsed. */
import { readFile } from 'node:fs/promises';
import type { Permit } from '../../../src/model/limits/permit.ts';
import { createProviders } from '../../../src/model/providers.ts';
import { type BenchItem, modelName, requestFor } from '../request.ts';
import type { PeerSettings } from './peer.ts';

export type Call = (item: BenchItem) => Promise<{ answer: unknown; usage: object }>;

export function createCall({ stubUrl, concurrency }: PeerSettings): {
  call: Call;
  close: () => Promise<void>;
} {
  const providers = createProviders({
    configs: [
      {
        name: 'stub',
        baseUrl: stubUrl,
        apiKey: null,
        headers: {},
        query: {},
        models: [modelName],
        closed: true,
      },
    ],
    timeoutMs: 120_000,
    concurrency,
  });
  const model = providers.resolve(`stub/${modelName}`);
  return {
    async call({ text }) {
      const { text: answer, tokens } = await model.send(requestFor(text), {
        signal: new AbortController().signal,
        permit: free,
      });
      return { answer: JSON.parse(answer) as unknown, usage: tokens };
    },
    close: () => providers.close(),
  };
}

/** The peers have limits of their own, or none. */
const free: Permit = {
  requests: 0,
  begin() {},
  observe() {},
  settle() {},
  release() {},
};

export async function readItems(file: string): Promise<BenchItem[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const { id, text } = JSON.parse(line) as BenchItem;
    return { id, text };
  });
}

/** Jobs put into a queue with one statement. */
export const enqueueAtOnce = 2_000;

/** Resolves when `condition` holds, looked at every few milliseconds. */
export async function eventually(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
