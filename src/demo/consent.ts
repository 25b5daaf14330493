import { count, dollars } from '../cli/columns.ts';
import type { Winnow } from '../client/index.ts';
import type { Dataset } from './dataset.ts';
import { entry } from './lines.ts';

const document = `query ($input: QuoteInput!) {
  quote(input: $input) {
    items
    models { model inputTokens { expected } outputTokens { expected } liveUsd { expected } }
  }
}`;

interface Quoted {
  quote: {
    items: number;
    models: {
      model: string;
      inputTokens: { expected: number };
      outputTokens: { expected: number };
      liveUsd: { expected: number } | null;
    }[];
  };
}

/** Requests, their receiver, their tokens and their likely cost: the quote of the server. */
export async function quoteReport(
  winnow: Winnow,
  { questions, categories }: Dataset,
  signal: AbortSignal,
): Promise<string> {
  const input = { operation: { label: { categories } }, source: { items: questions } };
  const { quote } = await winnow.graphql<Quoted>(document, { input }, { signal });
  return quote.models
    .flatMap(({ model, inputTokens, outputTokens, liveUsd }) => [
      entry('Requests', `${count(quote.items)} to ${model}`),
      entry(
        'Tokens',
        `about ${count(round(inputTokens.expected))} in and ${count(round(outputTokens.expected))} out`,
      ),
      entry(
        'Cost',
        liveUsd
          ? `about ${dollars(liveUsd.expected)}, by the price list`
          : 'unknown: no known price',
      ),
    ])
    .join('\n');
}

/** Three digits: more would pretend to know. */
function round(value: number): number {
  return Number(value.toPrecision(3));
}
