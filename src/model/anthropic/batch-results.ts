/**
 * The lines of a batch's results
 * (https://platform.claude.com/docs/en/api/messages/batches/results), in any order, trusting none
 * of them.
 */

import { isRecord, type JsonRecord } from '../../core/json.ts';
import type { BatchLine } from '../batch-api.ts';
import { answerLine, type LineOptions, refusedLine } from '../batch-line.ts';
import { splitLines } from '../json-lines.ts';
import { parseAnswer } from '../read.ts';
import { maxBodyBytes } from '../thin-fetch.ts';
import { readMessage } from './answer.ts';
import { anthropicFailures, refusalWithin } from './failure.ts';

/** A line that is too long, not JSON, or without a custom id is `unreadable`. */
export async function* readResults(
  chunks: AsyncIterable<Uint8Array>,
  options: LineOptions,
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

function readLine(line: string | null, options: LineOptions): BatchLine {
  const parsed = parse(line);
  if (!parsed) return { kind: 'unreadable' };
  const { customId, result } = parsed;
  switch (result.type) {
    case 'succeeded':
      return answerLine(customId, () => readMessage(result.message, options));
    case 'errored':
      return refusedLine(customId, refusalWithin(result.error), { ...options, classify });
    case 'canceled':
      return { kind: 'cancelled', customId };
    case 'expired':
      return { kind: 'expired', customId };
    default:
      return { kind: 'unreadable' };
  }
}

const { classify } = anthropicFailures;

/** Numbers stay as they came, whatever the request was. */
function parse(line: string | null): { customId: string; result: JsonRecord } | null {
  const parsed = parseAnswer(line, { whole: true });
  if (!isRecord(parsed) || !isRecord(parsed.result)) return null;
  const { custom_id: customId, result } = parsed;
  return typeof customId === 'string' && customId !== '' ? { customId, result } : null;
}
