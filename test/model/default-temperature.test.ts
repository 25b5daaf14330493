import { expect, test } from 'vitest';
import { batchRequest } from '../../src/model/default-temperature.ts';
import type { ModelRequest } from '../../src/model/request.ts';

const request: ModelRequest = {
  messages: [{ role: 'user', content: 'Hi' }],
  format: { type: 'text' },
  logprobs: false,
  defaultTemperature: 0,
};

test.each([
  'gpt-4.1-mini',
  'gpt-4o',
  'gpt-5-chat-latest',
  'claude-haiku-4-5',
  'claude-sonnet-4-6',
  'claude-3-opus',
  'meta-llama/Llama-3.3-70B',
  'olmo-2',
])('a batch for %s has the default temperature', (name) => {
  expect(batchRequest(name, request)).toBe(request);
});

test.each(['gpt-5-mini', 'openai/gpt-5.1', 'o3', 'o4-mini', 'claude-opus-4-8', 'claude-sonnet-5'])(
  'a batch for %s, which thinks first, goes without it, but with one that was given',
  (name) => {
    const given = batchRequest(name, { ...request, temperature: 0.2 });

    expect(batchRequest(name, request).defaultTemperature).toBeUndefined();
    expect(given.temperature).toBe(0.2);
  },
);
