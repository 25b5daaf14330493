import { count, dollars } from '../cli/columns.ts';
import { type Estimate, round } from '../cli/estimate.ts';
import { entry } from './lines.ts';

/** Requests, their receiver, their tokens and their likely cost. */
export function estimateReport(
  model: string,
  { requests, inputTokens, outputTokens, costUsd }: Estimate,
): string {
  return [
    entry('Requests', `${count(requests)} to ${model}`),
    entry(
      'Tokens',
      `about ${count(round(inputTokens))} in and ${count(round(outputTokens))} out, by a sample`,
    ),
    entry(
      'Cost',
      costUsd === null ? 'unknown: no known price' : `about ${dollars(costUsd)}, by the price list`,
    ),
  ].join('\n');
}
