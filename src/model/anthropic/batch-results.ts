/**
 * The lines of a batch's results
 * (https://platform.claude.com/docs/en/api/messages/batches/results), in any order, trusting none
 * of them.
 */

import { parseKeepingNumbers } from '../../core/exact-json.ts';
import { isRecord } from '../../core/json-record.ts';
import type { BatchLine } from '../batch-api.ts';
import { splitLines } from '../json-lines.ts';
import { ModelError } from '../model.ts';
import type { Prices } from '../prices.ts';
import { unusable } from '../read.ts';
import { likelyStatus } from '../result-line.ts';
import { maxBodyBytes } from '../thin-fetch.ts';
import { readMessage } from './answer.ts';
import type { Capabilities } from './capabilities.ts';
import { anthropicFailures } from './failure.ts';

export interface ResultOptions {
  /** Named in messages. */
  provider: string;
  prices: Prices;
  quote: (message: string) => string;
  /** Whether any whole message is an answer. */
  whole: boolean;
  capabilities: Capabilities;
}

/**
 * What the lines of `chunks` say. A line that is too long, no JSON, or without a custom id is
 * `unreadable`.
 */
export async function* readResults(
  chunks: AsyncIterable<Uint8Array>,
  options: ResultOptions,
): AsyncGenerator<BatchLine> {
  for await (const line of splitLines(chunks, maxBodyBytes)) yield readLine(line, options);
}

/** The custom ids of the first lines, at most `limit`. */
export async function readCustomIds(
  chunks: AsyncIterable<Uint8Array>,
  limit: number,
): Promise<string[]> {
  const ids: string[] = [];
  let lines = 0;
  for await (const line of splitLines(chunks, maxBodyBytes)) {
    const parsed = parse(line);
    if (parsed) ids.push(parsed.customId);
    lines += 1;
    if (lines >= limit) break;
  }
  return ids;
}

function readLine(line: string | null, options: ResultOptions): BatchLine {
  const parsed = parse(line);
  if (!parsed) return { kind: 'unreadable' };
  const { customId, result } = parsed;
  switch (result.type) {
    case 'succeeded':
      try {
        return { kind: 'answer', customId, answer: readMessage(result.message, options) };
      } catch (error) {
        if (error instanceof ModelError) return { kind: 'error', customId, error };
        throw error;
      }
    case 'errored':
      return { kind: 'error', customId, error: readError(result.error, options) };
    case 'canceled':
      return { kind: 'cancelled', customId };
    case 'expired':
      return { kind: 'expired', customId };
    default:
      return { kind: 'unreadable' };
  }
}

/**
 * A parameter of ours that the model refuses is left out next time, as it is in live calls: such a
 * request may succeed later, where the caller's own would not.
 */
function readError(
  error: unknown,
  { provider, quote, whole, capabilities }: ResultOptions,
): ModelError {
  const { refusalOf, classify } = anthropicFailures;
  const { code, type } = refusalOf(0, error);
  const refusal = refusalOf(likelyStatus({ code, type }), error);
  const failure = classify(refusal, { provider, quote, retryAfterMs: null });
  const isOurs = !whole && capabilities.learn(refusal, anything) !== null;
  if (!isOurs) return failure;
  return unusable(failure.message);
}

/** What a request of ours may have had: the results do not say which one had what. */
const anything = {
  answerMode: 'format' as const,
  schema: null,
  sampling: { temperature: 'any', top_p: 'any', effort: 'any' },
};

function parse(line: string | null): { customId: string; result: Record<string, unknown> } | null {
  if (line === null) return null;
  try {
    const parsed = parseKeepingNumbers(line);
    if (!isRecord(parsed) || !isRecord(parsed.result)) return null;
    const { custom_id: customId, result } = parsed;
    return typeof customId === 'string' && customId !== '' ? { customId, result } : null;
  } catch {
    return null;
  }
}
