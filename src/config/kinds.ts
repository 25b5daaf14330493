/** Kinds of settings, for zod. */
import { z } from 'zod';
import { wholeNumber } from './text.ts';

/** A switch: `on` or `off` in the words given, or true, false, 1, 0. */
export const bool = (fallback: boolean, on = 'true', off = 'false') =>
  z
    .enum([on, off, 'true', 'false', '1', '0'], { error: `must be ${on} or ${off}` })
    .default(fallback ? on : off)
    .transform((value) => value === on || value === 'true' || value === '1');

/** One of a few words. */
export const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, { error: `must be one of ${values.join(', ')}` });

/** A whole number, bounds included. */
export const integer = (fallback: number, min: number, max: number) =>
  z.coerce.number(wholeNumber).int(wholeNumber).min(min).max(max).default(fallback);

/** The same without a value of its own. */
export const optionalInteger = (min: number, max: number) =>
  z.coerce.number(wholeNumber).int(wholeNumber).min(min).max(max).optional();
