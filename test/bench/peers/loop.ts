/**
 * The loop that a user would write: JSONL in, the openai package as it comes, p-limit, JSONL out.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import OpenAI from 'openai';
import pLimit from 'p-limit';
import { createCapabilities } from '../../../src/model/openai/capabilities.ts';
import { buildRequestBody } from '../../../src/model/openai/request-body.ts';
import { type BenchItem, modelName, requestFor } from '../request.ts';
import type { Peer, PeerSettings } from './peer.ts';

export async function startLoop({ stubUrl, concurrency }: PeerSettings): Promise<Peer> {
  const client = new OpenAI({ baseURL: stubUrl, apiKey: 'none' });
  const capabilities = createCapabilities('max_tokens');
  let input = '';

  async function label(item: BenchItem): Promise<string> {
    const { body } = buildRequestBody(modelName, requestFor(item.text), capabilities);
    const completion = await client.chat.completions.create(
      body as unknown as OpenAI.ChatCompletionCreateParamsNonStreaming,
    );
    const answer: unknown = JSON.parse(completion.choices[0]?.message.content ?? '');
    return `${JSON.stringify({ id: item.id, answer, usage: completion.usage })}\n`;
  }

  return {
    async prepare(file) {
      input = file;
    },
    async run() {
      const limit = pLimit(concurrency);
      const output = createWriteStream(`${input}.answers`);
      const calls: Promise<void>[] = [];
      for await (const line of createInterface({ input: createReadStream(input) })) {
        const item = JSON.parse(line) as BenchItem;
        calls.push(limit(async () => void output.write(await label(item))));
      }
      await Promise.all(calls);
      output.end();
      await finished(output);
    },
    async stop() {},
  };
}
