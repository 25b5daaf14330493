/**
 * `npm run costs`: the cost of labelling the bundled bank questions, live and by provider jobs, as
 * in the table of docs/guides/half-price.md. Nothing is sent: the prompts are those that models
 * would get, their tokens are estimated, and the prices are those of the built-in price list.
 */

import { count, dollars } from '../cli/columns.ts';
import { noTokens, type Tokens } from '../core/usage.ts';
import { createPrices } from '../model/prices.ts';
import { label } from '../operations/label.ts';
import { estimatePromptTokens } from '../sandbox/wire/tokens.ts';
import { readDataset } from './dataset.ts';
import { print } from './lines.ts';

/** Models that do not think unless asked to: they write no tokens but those of the answer. */
const models = [
  ['openai', 'gpt-4.1-nano'],
  ['openai', 'gpt-4o-mini'],
  ['openai', 'gpt-4.1-mini'],
  ['openai', 'gpt-4.1'],
  ['anthropic', 'claude-haiku-4-5'],
  ['anthropic', 'claude-sonnet-5'],
  ['anthropic', 'claude-opus-5-5'],
] as const;

/**
 * Both providers take half off all tokens: https://platform.openai.com/docs/guides/batch and
 * https://docs.claude.com/en/docs/build-with-claude/batch-processing
 */
const batchShare = 0.5;
/**
 * OpenAI caches prefixes from 1,024 tokens on, in steps of 128:
 * https://platform.openai.com/docs/guides/prompt-caching
 */
const leastCached = 1_024;
const cacheStep = 128;
/** A confidence is written with about so many digits. */
const exampleConfidence = 0.95;
const charactersPerToken = 4;

const { questions, categories } = await readDataset(null);
const uncached = questionTokens({ cache: false });
const cached = questionTokens({ cache: true });
const inputTokens = sum(uncached.map((tokens) => tokens.inputTokens));
const outputTokens = sum(uncached.map((tokens) => tokens.outputTokens));
print(
  `${count(questions.length)} questions: about ${roughly(inputTokens)} input and ${roughly(outputTokens)} output tokens, at four characters each.\n`,
);
print('| model | `LIVE` | `LIVE`, prompt cached | `PROVIDER_BATCH` |');
print('|---|---:|---:|---:|');
for (const [provider, model] of models) {
  const live = cost(provider, model, uncached);
  // Anthropic caches what a request marks, and Winnow marks nothing.
  const best = provider === 'openai' ? dollars(cost(provider, model, cached)) : '';
  print(
    `| \`${provider}/${model}\` | ${dollars(live)} | ${best} | ${dollars(live * batchShare)} |`,
  );
}

/**
 * Tokens of each question. With `cache`, all questions but the first find the common beginning of
 * the prompts in the cache, if that is long enough.
 */
function questionTokens({ cache }: { cache: boolean }): Tokens[] {
  const { messages, format } = label.prepare(label.params.parse({ categories }));
  const schema = format.type === 'json' ? JSON.stringify(format.schema) : '';
  return questions.map(({ content, metadata: { category } }, index) => {
    const prompt = messages({ content, metadata: null });
    const answer = JSON.stringify({ label: category, confidence: exampleConfidence });
    const shared = estimatePromptTokens(prompt.slice(0, -1), schema);
    const isCached = cache && index > 0 && shared >= leastCached;
    return {
      ...noTokens,
      inputTokens: estimatePromptTokens(prompt, schema),
      cachedInputTokens: isCached ? Math.floor(shared / cacheStep) * cacheStep : 0,
      outputTokens: Math.ceil(answer.length / charactersPerToken),
    };
  });
}

/** One request after the other: prices may depend on a request's length. */
function cost(provider: string, model: string, requests: readonly Tokens[]): number {
  const prices = createPrices(provider, model).live;
  return sum(
    requests.map((tokens) => {
      const usd = prices.costUsd(tokens);
      if (usd === null) throw new Error(`The price list has no price for ${provider}/${model}.`);
      return usd;
    }),
  );
}

/** 3.6 million: an estimate has no more digits than that. */
function roughly(tokens: number): string {
  return tokens.toLocaleString('en-US', { notation: 'compact', compactDisplay: 'long' });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
