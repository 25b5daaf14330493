/** Parts of a model's answer that a database can store. */
import { InvalidOutput } from '../core/errors.ts';
import { isKeptNumber } from '../core/exact-json.ts';
import { type JsonRecord, maxJsonDepth } from '../core/json.ts';
import { replaceUnstorable } from '../core/text.ts';
import { withoutThought } from './thought.ts';

/** A text answer without thought in front, trimmed, storable. Throws InvalidOutput if empty. */
export function readText(answer: string): string {
  const text = replaceUnstorable(withoutThought(answer)).trim();
  if (text === '') {
    throw new InvalidOutput('The answer must not be empty.');
  }
  return text;
}

/** Own properties only, so that a field called constructor or toString is data like any other. */
export function ownValue(object: Readonly<JsonRecord>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/**
 * JSON that came from outside, storable as a whole: its numbers are finite, or stand for their own
 * text. Throws InvalidOutput where that cannot be, or it is too deep.
 */
export function tidy(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') {
    return replaceUnstorable(value);
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    // JSON.parse reads 1e999 as Infinity.
    throw new InvalidOutput('Numbers in the answer must be finite.');
  }
  if (typeof value !== 'object' || value === null || isKeptNumber(value)) {
    return value;
  }
  if (depth === maxJsonDepth) {
    throw new InvalidOutput(`The answer must not be nested deeper than ${maxJsonDepth} levels.`);
  }
  if (Array.isArray(value)) {
    return value.map((child) => tidy(child, depth + 1));
  }
  // Hardly any object has something to change, and a copy of each costs more than a look.
  const members = value as JsonRecord;
  const keys = Object.keys(members);
  let changed: [string, unknown][] | null = null;
  for (let at = 0; at < keys.length; at += 1) {
    const key = keys[at] as string;
    const name = replaceUnstorable(key);
    const child = tidy(members[key], depth + 1);
    if (name !== key || !Object.is(child, members[key])) {
      changed ??= keys.slice(0, at).map((same) => [same, members[same]]);
    }
    changed?.push([name, child]);
  }
  // fromEntries defines properties, so that a __proto__ key stays data.
  return changed ? Object.fromEntries(changed) : value;
}
