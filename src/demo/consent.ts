import { createInterface } from 'node:readline/promises';
import { count, dollars, entry } from './columns.ts';
import type { Estimate } from './estimate.ts';

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

/** Asks on the terminal; only yes is consent. Throws the reason of an aborted signal. */
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
