/** What a batch may cost, reckoned before anything is sent to its model. */
import type { Winnow } from '../client/index.ts';
import { count, counted, dollars } from './columns.ts';
import { answerNow, type Operation, type SampleItem } from './operation.ts';

interface Estimate {
  requests: number;
  inputTokens: number;
  outputTokens: number;
  /** Null: no known price. */
  costUsd: number | null;
  /** The same through the provider's batch API, where it may have one. */
  batchApiUsd: number | null;
}

/** The most that one call takes. */
export const sampleSize = 50;
/** The sandbox is always there, and gets the very prompt that the model will get. */
const sampleModel = 'sandbox/rules';
/** https://platform.openai.com/docs/guides/batch takes half off, and so do others. */
const batchApiShare = 0.5;
const perPrice = 1_000_000;

export function isSandbox(model: string): boolean {
  return model.startsWith('sandbox/');
}

/** The model that will answer, as provider/name. */
export async function modelOf(
  winnow: Winnow,
  { options }: Operation,
  signal: AbortSignal,
): Promise<string> {
  if (typeof options.model === 'string') return options.model;
  const document = '{ service { defaultModel } }';
  const { service } = await winnow.graphql<{ service: { defaultModel: string } }>(
    document,
    {},
    { signal },
  );
  return service.defaultModel;
}

/** Runs a sample of the items through the sandbox and counts the tokens: no model is asked. */
export async function estimate(
  winnow: Winnow,
  operation: Operation,
  { items, rows, model }: { items: readonly SampleItem[]; rows: number; model: string },
  signal: AbortSignal,
): Promise<Estimate> {
  const sampled = { ...operation, options: { ...operation.options, model: sampleModel } };
  const [{ usage }, models] = await Promise.all([
    answerNow(winnow, sampled, items, signal),
    winnow.models({ signal }),
  ]);
  const scale = rows / Math.max(1, items.length);
  const inputTokens = usage.inputTokens * scale;
  const outputTokens = usage.outputTokens * scale;
  const {
    inputPrice = null,
    outputPrice = null,
    providerBatch = false,
  } = models.find(({ id }) => id === model) ?? {};
  const costUsd =
    inputPrice === null || outputPrice === null
      ? null
      : (inputTokens * inputPrice + outputTokens * outputPrice) / perPrice;
  return {
    requests: rows,
    inputTokens,
    outputTokens,
    costUsd,
    batchApiUsd: costUsd === null || providerBatch === false ? null : costUsd * batchApiShare,
  };
}

/** `3,080 rows to openai/gpt-4.1-mini: about 3,700,000 tokens in, 40,000 out; $1.53, …` */
export function estimateText(
  model: string,
  { requests, inputTokens, outputTokens, costUsd, batchApiUsd }: Estimate,
): string {
  const cost =
    costUsd === null
      ? 'at an unknown price'
      : `about ${dollars(costUsd)}${batchApiUsd === null ? '' : `, or ${dollars(batchApiUsd)} with --batch-api`}`;
  return `${counted(requests, 'row')} to ${model}: about ${count(round(inputTokens))} tokens in and ${count(round(outputTokens))} out by a sample, ${cost}`;
}

/** Two digits: more would pretend to know. */
function round(value: number): number {
  return Number(value.toPrecision(2));
}
