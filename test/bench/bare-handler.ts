/**
 * The least that could answer: node:http, the body parsed, the same call with the openai package as
 * it comes, the answer sent on.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { createCapabilities } from '../../src/model/openai/capabilities.ts';
import { buildRequestBody } from '../../src/model/openai/request-body.ts';
import { modelName, requestFor } from './request.ts';

const client = new OpenAI({ baseURL: process.argv[2], apiKey: 'none' });
const capabilities = createCapabilities('max_tokens');

const server = createServer((request, response) => {
  let text = '';
  request.on('data', (piece) => {
    text += piece;
  });
  request.on('end', async () => {
    const item = JSON.parse(text) as { text: string };
    const { body } = buildRequestBody(modelName, requestFor(item.text), capabilities);
    const completion = await client.chat.completions.create(
      body as unknown as OpenAI.ChatCompletionCreateParamsNonStreaming,
    );
    const answer: unknown = JSON.parse(completion.choices[0]?.message.content ?? '');
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer));
  });
});
server.listen(0, '127.0.0.1', () => {
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
});
