import { createInterface } from 'node:readline/promises';
import { count, dollars, entry } from './columns.ts';
import type { Estimate } from './estimate.ts';

/** What would be sent, to whom, and what it is likely to cost. */
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

/** Asks on the terminal; anything but yes is no. Throws the signal's reason when it is aborted. */
export async function askConsent(signal: AbortSignal): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const closed = new Promise<null>((resolve) => lines.once('close', () => resolve(null)));
  // On a terminal readline takes Ctrl-C for itself.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    const answer = await Promise.race([lines.question('\nSend them? y/N ', { signal }), closed]);
    return /^y(es)?$/i.test(answer?.trim() ?? '');
  } finally {
    lines.close();
  }
}

/** Two digits: more would pretend to know. */
function round(value: number): number {
  return Number(value.toPrecision(2));
}
