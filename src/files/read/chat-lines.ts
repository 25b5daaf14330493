/** Required members of the lines of providers' batch files: refused at upload, not call by call. */

import { quotedName } from '../../core/quoted-name.ts';
import { isChatUrl, wrongMethod, wrongUrl } from '../chat-url.ts';
import { openBrace } from './bytes.ts';
import type { FileFormat } from './format.ts';
import type { MemberCheck } from './json-rows.ts';
import type { JsonScanner } from './json-scanner.ts';

/** Undefined for formats whose rows need nothing. */
export const memberChecks: Partial<Record<FileFormat, MemberCheck>> = {
  OPENAI_JSONL: {
    names: ['body', 'url', 'method'],
    problem: (bytes, scanner, members) =>
      isObject(bytes, scanner, members[0])
        ? endpointProblem(bytes, scanner, members[1], members[2])
        : 'has no object "body"',
  },
  ANTHROPIC_JSONL: {
    names: ['params'],
    problem: (bytes, scanner, members) =>
      isObject(bytes, scanner, members[0]) ? null : 'has no object "params"',
  },
  OPENAI_RESULTS: {
    names: ['response', 'error', 'result'],
    problem: (_bytes, _scanner, members) =>
      members.some((member) => member >= 0)
        ? null
        : 'has neither "response" nor "error" (nor Anthropic’s "result"), as the lines of a batch’s output have',
  },
};

/** A row of plain JSON is a line for OpenAI's batch API only where it has all that one has. */
export const bareLineCheck: MemberCheck = {
  names: ['custom_id', 'body', 'url', 'method'],
  problem: (bytes, scanner, members) =>
    isObject(bytes, scanner, members[1]) && (members[0] as number) >= 0
      ? endpointProblem(bytes, scanner, members[2], members[3])
      : null,
};

const chatEnd = Buffer.from('/chat/completions"');
const post = Buffer.from('"POST"');

/** Why a line with a body is none that can be run: it is for another endpoint. */
function endpointProblem(
  bytes: Uint8Array,
  scanner: JsonScanner,
  url = -1,
  method = -1,
): string | null {
  if (url >= 0 && !endsWith(bytes, scanner.valueEnd[url] as number, chatEnd)) {
    const given = parsedValue(bytes, scanner, url);
    if (given !== null && !(typeof given === 'string' && isChatUrl(given))) {
      return wrongUrl(shown(given));
    }
  }
  if (method >= 0 && !endsWith(bytes, scanner.valueEnd[method] as number, post)) {
    const given = parsedValue(bytes, scanner, method);
    if (given !== null) return wrongMethod(shown(given));
  }
  return null;
}

function endsWith(bytes: Uint8Array, end: number, text: Uint8Array): boolean {
  for (let at = 1; at <= text.length; at += 1) {
    if (bytes[end - at] !== text[text.length - at]) return false;
  }
  return true;
}

function parsedValue(bytes: Uint8Array, scanner: JsonScanner, member: number): unknown {
  const value = bytes.subarray(scanner.valueStart[member], scanner.valueEnd[member]);
  return JSON.parse(Buffer.from(value).toString());
}

function shown(value: unknown): string {
  return quotedName(typeof value === 'string' ? value : JSON.stringify(value));
}

function isObject(bytes: Uint8Array, scanner: JsonScanner, member = -1): boolean {
  return member >= 0 && bytes[scanner.valueStart[member] as number] === openBrace;
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
