/** The line of a provider's results file for an answer of ours. */

import { parseKeepingNumbers } from '../../core/exact-json.ts';
import type { ExportedItem } from '../../db/item-export.ts';
import { completionToMessage, messageToCompletion } from '../../model/dialects/completion.ts';
import type { PreparedOperation } from '../../operations/operation.ts';
import { hasUnicodeEscape, toBytes, toText } from './text.ts';

/**
 * The function that reads the answer as text out of a stored output: text answers as they were
 * written, all others as the JSON text that is stored. Byte strings both.
 */
export function answerTextOf({ format, columns }: PreparedOperation): (output: string) => string {
  const field = format.type === 'text' ? columns?.[0] : undefined;
  if (field === undefined) return (output) => output;
  const key = toBytes(field);
  return (output) => {
    const escaped = hasUnicodeEscape(output);
    const values = JSON.parse(escaped ? toText(output) : output) as Record<string, unknown> | null;
    const text = values?.[escaped ? field : key];
    if (typeof text !== 'string') return output;
    return escaped ? toBytes(text) : text;
  };
}

type StoredAnswer = Record<string, unknown>;

/** The stored provider's answer as a chat completion; one that is a completion is as it came. */
export function storedCompletion(
  operation: PreparedOperation,
  { output, completedAt }: ExportedItem,
): StoredAnswer | null {
  const answer = storedAnswer(operation, output);
  if (!answer || !isMessage(answer)) return answer;
  return messageToCompletion(answer, { created: Math.floor(completedAt ?? 0) });
}

/** The same as a message of Anthropic's. `missing` stands in for what a completion lacks. */
export function storedMessage(
  operation: PreparedOperation,
  { output }: ExportedItem,
  missing: { id: string; model: string },
): StoredAnswer | null {
  const answer = storedAnswer(operation, output);
  if (!answer || isMessage(answer)) return answer;
  const message = completionToMessage(answer);
  const { id, model, content } = message;
  const isEmpty = Array.isArray(content) && content.length === 0;
  return {
    ...message,
    id: id || missing.id,
    model: model || missing.model,
    // An answer of nothing is an answer still; without a block it would be none to a program that
    // reads the file.
    content: isEmpty ? [{ type: 'text', text: '' }] : content,
  };
}

function storedAnswer(
  { completion }: PreparedOperation,
  output: string | null,
): StoredAnswer | null {
  return completion && output !== null ? completion(parseKeepingNumbers(toText(output))) : null;
}

function isMessage({ content, choices }: StoredAnswer): boolean {
  return Array.isArray(content) && !Array.isArray(choices);
}
