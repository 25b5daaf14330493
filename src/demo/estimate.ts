import type { Client } from './client.ts';
import { type Dataset, spread } from './dataset.ts';

/** Requests, tokens by a sample, and cost of the labelling. Null cost: no known price. */
export interface Estimate {
  requests: number;
  inputTokens: number;
  outputTokens: number;
  costUsd: number | null;
}

/** The most that a synchronous mutation takes. */
const sampleSize = 50;
/** The sandbox is always there, and gets the very prompt that the model will get. */
const sampleModel = 'sandbox/rules';

const sampleDocument = `mutation Sample($items: [ItemInput!]!, $options: LabelOptions!) {
  label(items: $items, options: $options) { usage { requests inputTokens outputTokens } }
}`;

const pricesDocument = 'query Prices { service { models { id inputPrice outputPrice } } }';

interface Sample {
  label: { usage: { requests: number; inputTokens: number; outputTokens: number } };
}

interface Prices {
  service: {
    models: { id: string; inputPrice: number | null; outputPrice: number | null }[];
  };
}

/** Labels some questions with the sandbox and counts the tokens: nothing leaves this machine. */
export async function estimate(
  client: Client,
  { questions, categories }: Dataset,
  { model, signal }: { model: string; signal: AbortSignal },
): Promise<Estimate> {
  const items = spread(questions, sampleSize);
  const options = { model: sampleModel, categories };
  const [{ label }, { service }] = await Promise.all([
    client.request<Sample>(sampleDocument, { items, options }, signal),
    client.request<Prices>(pricesDocument, {}, signal),
  ]);
  const scale = questions.length / items.length;
  const inputTokens = label.usage.inputTokens * scale;
  const outputTokens = label.usage.outputTokens * scale;
  const prices = service.models.find(({ id }) => id === model);
  const known = prices && prices.inputPrice !== null && prices.outputPrice !== null;
  return {
    requests: questions.length,
    inputTokens,
    outputTokens,
    costUsd: known
      ? (inputTokens * (prices.inputPrice ?? 0) + outputTokens * (prices.outputPrice ?? 0)) / 1e6
      : null,
  };
}
