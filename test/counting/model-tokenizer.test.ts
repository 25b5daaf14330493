import { expect, it } from 'vitest';
import { tokenizerOf } from '../../src/counting/model-tokenizer.ts';

it.each([
  ['openai', 'gpt-4.1-mini', 'o200k', 1, true],
  ['openai', 'gpt-5.1', 'o200k', 1, true],
  ['openai', 'o3-mini', 'o200k', 1, true],
  ['openai', 'gpt-4', 'cl100k', 1, true],
  ['openai', 'gpt-4o-mini', 'o200k', 1, true],
  ['openai', 'gpt-3.5-turbo-0125', 'cl100k', 1, true],
  ['azure', 'my-deployment', 'o200k', 1, true],
  ['together', 'openai/gpt-oss-120b', 'o200k', 1, true],
  ['anthropic', 'claude-3-5-haiku-20241022', 'claude', 1.1, false],
  ['anthropic', 'claude-haiku-4-5', 'claude', 1.1, false],
  ['anthropic', 'claude-opus-4-20250514', 'claude', 1.1, false],
  ['anthropic', 'claude-opus-4-8', 'claude', 1.43, false],
  ['anthropic', 'claude-sonnet-5', 'claude', 1.43, false],
  ['bedrock', 'anthropic.claude-opus-5-5-v1', 'claude', 1.43, false],
  ['openai', 'meta-llama/Llama-3.1-8B-Instruct', 'cl100k', 1, false],
  ['together', 'Qwen/Qwen3-32B', 'cl100k', 1, false],
  ['google', 'gemini-2.5-flash', 'o200k', 1.08, false],
  ['mine', 'some-model', 'o200k', 1, false],
])('%s/%s is counted by %s', (provider, name, encoding, factor, exact) => {
  const tokenizer = tokenizerOf(provider, name);

  expect(tokenizer).toMatchObject({ encoding, exact });
  expect(tokenizer.factor).toBeCloseTo(factor, 9);
});
