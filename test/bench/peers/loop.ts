/**
 * The loop that a user would write: JSONL in, the openai package as it comes, p-limit, JSONL out.
 */
import OpenAI from 'openai';
import { createCapabilities } from '../../../src/model/openai/capabilities.ts';
import { buildRequestBody } from '../../../src/model/openai/request-body.ts';
import { type BenchItem, modelName, requestFor } from '../request.ts';
import { labelLines } from './label-lines.ts';
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
    run: () => labelLines({ input, output: `${input}.answers`, concurrency }, label),
    async stop() {},
  };
}
