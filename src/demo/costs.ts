/**
 * `npm run costs`: the cost of labelling the bundled bank questions, live and by provider jobs, as
 * in the table of docs/guides/half-price.md. Nothing is sent: it is the quote that a server gives
 * for all questions, by the built-in price list.
 */
import { count, dollars } from '../cli/columns.ts';
import { createCounter } from '../counting/counter.ts';
import type { Estimate } from '../engine/quote/estimate.ts';
import { makeQuote } from '../engine/quote/quote.ts';
import { sampleItems } from '../engine/quote/read-sample.ts';
import { createPlanner } from '../engine/run/plan.ts';
import { createProviders } from '../model/providers.ts';
import { label } from '../operations/label.ts';
import { readDataset } from './dataset.ts';
import { print } from './lines.ts';

/** Models that do not think unless asked to: they write no tokens but those of the answer. */
const models = [
  'openai/gpt-4.1-nano',
  'openai/gpt-4o-mini',
  'openai/gpt-4.1-mini',
  'openai/gpt-4.1',
  'anthropic/claude-haiku-4-5',
  'anthropic/claude-sonnet-5',
  'anthropic/claude-opus-5-5',
];

const { questions, categories } = await readDataset(null);
const provider = { apiKey: null, headers: {}, query: {}, models: [], closed: false };
const providers = createProviders({
  configs: [
    { ...provider, name: 'openai', baseUrl: 'https://api.openai.com/v1' },
    {
      ...provider,
      name: 'anthropic',
      protocol: 'anthropic',
      baseUrl: 'https://api.anthropic.com',
    },
  ],
  timeoutMs: 1_000,
  concurrency: 1,
});
const preparePlan = createPlanner({ providers, defaultModel: models[0] ?? '' });
const counter = createCounter();
const options = label.params.parse({ categories });
const { models: quotes } = await makeQuote(counter, {
  kind: label.name,
  options,
  plans: models.map((model) => preparePlan(label.name, options, model)),
  items: sampleItems(questions, { seed: '', size: questions.length }),
  total: questions.length,
  identical: 0,
  pricesOf: providers.prices,
  historyOf: async () => ({ answers: null, billed: null }),
  patient: false,
});

print(`${count(questions.length)} questions, in the tokens of each model:\n`);
print(
  '| model | input tokens | output tokens | `LIVE` | `LIVE`, prompt cached | `PROVIDER_BATCH` |',
);
print('|---|---:|---:|---:|---:|---:|');
for (const quote of quotes) {
  const { model, inputTokens, outputTokens, tokenizerExact } = quote;
  const about = tokenizerExact ? '' : 'about ';
  const costs = [quote.liveUsd, quote.liveCachedUsd, quote.providerBatchUsd].map(usd);
  const tokens = [inputTokens, outputTokens].map(({ expected }) => `${about}${roughly(expected)}`);
  print(`| ${[`\`${model}\``, ...tokens, ...costs].join(' | ')} |`);
}
await counter.stop();
await providers.close();

function usd(estimate: Estimate | null): string {
  return estimate === null ? '' : dollars(estimate.expected);
}

/** 3.63 million: more digits would pretend to know. */
function roughly(tokens: number): string {
  return tokens.toLocaleString('en-US', {
    notation: 'compact',
    compactDisplay: 'long',
    maximumSignificantDigits: 3,
  });
}
