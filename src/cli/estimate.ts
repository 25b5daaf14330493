/** The expected cost of a batch, by a quote of the server, before anything is sent to its model. */
import type { Estimate, ModelQuote, Winnow } from '../client/index.ts';
import { count, usdText } from './columns.ts';
import type { Operation } from './operation.ts';

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

/** `about 3,700,000 tokens in and 40,000 out, about $1.53 ($1.40 to $1.70), or …` */
export function quoteText({ inputTokens, outputTokens, ...quote }: ModelQuote): string {
  const { liveUsd, liveCachedUsd, providerBatchUsd } = quote;
  const others = [
    ...(liveCachedUsd ? [`${usdText(liveCachedUsd)} from the prompt cache`] : []),
    ...(providerBatchUsd ? [`${usdText(providerBatchUsd)} with --batch-api`] : []),
  ];
  const cost = liveUsd === null ? 'at an unknown price' : `about ${usdText(liveUsd)}`;
  return [`${tokensText({ inputTokens, outputTokens })}, ${cost}`, ...others].join(', or ');
}

/** `about 3,700,000 tokens in and 40,000 out` */
export function tokensText({
  inputTokens,
  outputTokens,
}: Pick<ModelQuote, 'inputTokens' | 'outputTokens'>): string {
  return `about ${rounded(inputTokens)} tokens in and ${rounded(outputTokens)} out`;
}

/** Two digits: more would pretend to know. */
function rounded({ expected }: Estimate): string {
  return count(Number(expected.toPrecision(2)));
}
