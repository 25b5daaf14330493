/** What the lines of the providers' batch files must have, so that a file is refused row by row at upload and not call by call later. */
import type { FileFormat } from './format.ts';
import type { MemberCheck } from './json-rows.ts';

const BRACE = 0x7b;

/** Undefined for formats whose rows need nothing. */
export const memberChecks: Partial<Record<FileFormat, MemberCheck>> = {
  OPENAI_JSONL: (bytes, scanner, member) =>
    isObject(bytes, scanner.valueStart[member('body')]) ? null : 'has no object "body"',
  ANTHROPIC_JSONL: (bytes, scanner, member) =>
    isObject(bytes, scanner.valueStart[member('params')]) ? null : 'has no object "params"',
  OPENAI_RESULTS: (_bytes, _scanner, member) =>
    ['response', 'error', 'result'].some((name) => member(name) >= 0)
      ? null
      : 'has neither "response" nor "error" (nor Anthropic’s "result"), as the lines of a batch’s output have',
};

function isObject(bytes: Uint8Array, start: number | undefined): boolean {
  return start !== undefined && bytes[start] === BRACE;
}

function holds(value: object, name: string, inner: string): boolean {
  const nested = (value as Record<string, unknown>)[name];
  return typeof nested === 'object' && nested !== null && Object.hasOwn(nested, inner);
}

/** Which provider's line a parsed value is; null for any other JSON. */
export function chatFormat(value: unknown): FileFormat | null {
  if (typeof value !== 'object' || value === null) return null;
  const has = (name: string) => Object.hasOwn(value, name);
  const isNested = (name: string) =>
    has(name) && typeof (value as Record<string, unknown>)[name] === 'object';
  if (!has('custom_id')) return null;
  if (isNested('body') && (has('url') || has('method'))) return 'OPENAI_JSONL';
  if (isNested('body')) {
    const { body } = value as { body: Record<string, unknown> | null };
    return body && Object.hasOwn(body, 'messages') ? 'OPENAI_JSONL' : null;
  }
  if (isNested('params')) return 'ANTHROPIC_JSONL';
  if (has('id') && (has('response') || has('error'))) return 'OPENAI_RESULTS';
  // Others leave the id out, and Anthropic has words of its own.
  const isResult =
    (isNested('response') && holds(value, 'response', 'body')) ||
    (isNested('result') && holds(value, 'result', 'type'));
  return isResult ? 'OPENAI_RESULTS' : null;
}
