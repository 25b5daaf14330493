/**
 * A line of an output or error file of OpenAI's Batch API. Source:
 * https://platform.openai.com/docs/api-reference/batch/request-output.
 */

import { isRecord } from '../../core/json.ts';
import { readAnswer } from '../answer.ts';
import type { BatchLine } from '../batch-api.ts';
import { answerLine, type LineOptions, refusedLine } from '../batch-line.ts';
import { classify, toRefusal } from '../failure.ts';
import { parseAnswer, unusable } from '../read.ts';
import { likelyStatus } from '../result-line.ts';
import { openAiError } from '../thin-fetch.ts';

/** Longer ones are not ours. */
const maxCustomIdChars = 512;

/** `line` null is one that was too long to be read. */
export function readBatchLine(line: string | null, options: LineOptions): BatchLine {
  const parsed = parseAnswer(line, options);
  const customId = isRecord(parsed) ? parsed.custom_id : null;
  if (!isRecord(parsed) || typeof customId !== 'string' || customId.length > maxCustomIdChars) {
    return { kind: 'unreadable' };
  }
  const { error } = parsed;
  const response = isRecord(parsed.response) ? parsed.response : null;
  const status = response ? Number(response.status_code ?? 200) : null;
  const refused = (status: number, error: unknown) => {
    const refusal = toRefusal(Number.isNaN(status) ? 500 : status, openAiError(error));
    return refusedLine(customId, refusal, { ...options, classify });
  };
  if (error != null) {
    const { code, type } = toRefusal(0, error);
    if (code === 'batch_expired') return { kind: 'expired', customId };
    if (code === 'batch_cancelled' || code === 'batch_canceled')
      return { kind: 'cancelled', customId };
    const given = status !== null && status >= 400 ? status : likelyStatus({ code, type });
    return refused(given, error);
  }
  if (response === null || status === null) {
    const message = `${options.provider} returned neither a response nor an error.`;
    return { kind: 'error', customId, error: unusable(message) };
  }
  const { body } = response;
  if (!(status < 400)) return refused(status, body);
  return answerLine(customId, () => readAnswer(body, options));
}
