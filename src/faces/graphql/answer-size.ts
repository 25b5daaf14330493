/**
 * The size of an answer as JSON, told before it is written: one text may stand in it a hundred
 * times, and there it is written as often.
 */
import type { ExecutionResult } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { AppError } from '../../core/errors.ts';
import type { Context } from './context.ts';
import { presentError } from './errors.ts';

/** Rows and answers are most of it and have a limit of their own, which tells where to go on. */
export const maxAnswerBytes = 48 * 1_048_576;
/** Bytes that a character takes at most: \u001f. */
const worst = 6;

/** The result; or an error in its place where it is larger than an answer may be. */
export function limitAnswer(result: ExecutionResult): ExecutionResult {
  if (!isTooLarge(result.data)) return result;
  const message = `The answer must have at most ${maxAnswerBytes / 1_048_576} MB; ask for fewer fields, or for smaller pages`;
  const error = presentError(new AppError('PAYLOAD_TOO_LARGE', message));
  return { data: null, errors: [error, ...(result.errors ?? [])] };
}

export const limitAnswers: Plugin<Context> = {
  onExecute: () => ({
    onExecuteDone({ result, setResult }) {
      if (!(Symbol.asyncIterator in result)) setResult(limitAnswer(result));
    },
  }),
};

function isTooLarge(data: unknown): boolean {
  // Most answers are small however their texts are written, and need not be read for that.
  if (sizeOf(data, (text) => text.length * worst) <= maxAnswerBytes) return false;
  return sizeOf(data, bytesOf) > maxAnswerBytes;
}

/** Not counted beyond what is too much. */
function sizeOf(data: unknown, textSize: (text: string) => number): number {
  let size = 0;
  // What is still to be looked at, not a recursion: an answer may be deeper than the stack.
  const pending: unknown[] = [data];
  while (pending.length > 0 && size <= maxAnswerBytes) {
    const value = pending.pop();
    if (typeof value === 'string') size += textSize(value) + 3;
    else if (typeof value !== 'object' || value === null) size += 5;
    else if (Array.isArray(value)) for (const entry of value) pending.push(entry);
    else {
      for (const [name, inner] of Object.entries(value)) {
        size += textSize(name) + 3;
        pending.push(inner);
      }
    }
  }
  return size;
}

/** Bytes of a text in JSON, in UTF-8. */
function bytesOf(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20) bytes += isShort(unit) ? 2 : worst;
    else if (unit < 0x80) bytes += unit === 0x22 || unit === 0x5c ? 2 : 1;
    else if (unit < 0x800) bytes += 2;
    else bytes += unit >= 0xd800 && unit <= 0xdfff ? 2 : 3; // half of a character of four
  }
  return bytes;
}

/** \b, \t, \n, \f and \r. */
function isShort(unit: number): boolean {
  return unit >= 0x08 && unit <= 0x0d && unit !== 0x0b;
}
