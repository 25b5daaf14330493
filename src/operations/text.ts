/** Params that the database can hold: texts, and JSON made of them. */
import { z } from 'zod';
import { maxJsonDepth } from '../core/json.ts';
import { textProblem } from '../core/text.ts';

/**
 * Longest prompt text (system prompt, template, instructions), far above any model's context.
 */
export const maxPromptLength = 1_000_000;

/** A text that can be stored exactly. */
export const storableText = z.string().superRefine((value, context) => {
  const problem = textProblem(value);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
});

/** A string param: lengths in UTF-16 units; `min: 1` also refuses blank text. */
export function text({ min = 0, max }: { min?: 0 | 1; max: number }) {
  const bounded = storableText.max(max, {
    error: ({ input }) => `must have at most ${max} characters, not ${lengthOf(input)}`,
  });
  return min === 0 ? bounded : bounded.refine((value) => value.trim() !== '', 'must not be blank');
}

/** A string param that goes into a prompt. */
export function promptText() {
  return text({ max: maxPromptLength });
}

/** A JSONObject param: JSON values, at most 100 levels deep, storable, no number rounded. */
export function jsonObject() {
  return z.record(z.string(), z.unknown()).superRefine(checkJson(() => true));
}

/** A JSON param, checked like `jsonObject`. */
export function jsonValue() {
  return z.unknown().superRefine(checkJson(() => true));
}

/**
 * A JSONObject param that is a schema, checked like `jsonObject`. Its values have to be exact; the
 * bounds of 64-bit integers, which many generators write, may be off by one.
 */
export function schemaObject() {
  const isValue = (path: readonly string[]) => path.at(-1) === 'const' || path.at(-2) === 'enum';
  return z.record(z.string(), z.unknown()).superRefine(checkJson(isValue));
}

/** From here on JSON is written with an exponent, by somebody who knows that it is not exact. */
const exponentFrom = 1e21;

/** Why a number is not what was written, or null. */
export function roundingProblem(value: unknown): string | null {
  if (typeof value !== 'number' || !Number.isInteger(value)) return null;
  if (Number.isSafeInteger(value) || Math.abs(value) >= exponentFrom) return null;
  return 'must be below 2^53, since JSON readers round larger whole numbers; give a string instead';
}

type PathTest = (path: readonly string[]) => boolean;

/** `isExact`: whether a number at a path has to be what was written. */
function checkJson(isExact: PathTest) {
  return (value: unknown, context: z.core.$RefinementCtx): void => {
    const found = findProblem(value, [], isExact);
    if (found) {
      // Not to be continued: the checks after this one recurse into the value.
      context.addIssue({ code: 'custom', ...found, continue: false });
    }
  };
}

function findProblem(
  value: unknown,
  path: string[],
  isExact: PathTest,
): { path: string[]; message: string } | null {
  if (typeof value === 'string') {
    const message = textProblem(value);
    return message === null ? null : { path, message };
  }
  if (typeof value !== 'object' || value === null) {
    const message = isExact(path) ? roundingProblem(value) : null;
    return message === null ? null : { path, message };
  }
  if (path.length >= maxJsonDepth) {
    return { path: [], message: `must not be nested deeper than ${maxJsonDepth} levels` };
  }
  for (const [key, child] of Object.entries(value)) {
    const keyProblem = textProblem(key);
    const found =
      keyProblem === null
        ? findProblem(child, [...path, key], isExact)
        : { path, message: `a key ${keyProblem}` };
    if (found) {
      return found;
    }
  }
  return null;
}

function lengthOf(input: unknown): number {
  return typeof input === 'string' ? input.length : 0;
}
