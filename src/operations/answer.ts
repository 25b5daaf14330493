/** Reading a model's answer: what it may wrap around its JSON, and what a database can hold of it. */
import { InvalidOutput } from '../errors.ts';
import { storableText } from './text.ts';

/** Deeper answers are refused: validators and JSON.stringify are recursive. */
const MAX_DEPTH = 100;

export type JsonObject = { [key: string]: unknown };

/**
 * The JSON object in an answer that may stand between white space, behind a byte order mark, or in one Markdown fence.
 * Its strings and keys are storable. Throws InvalidOutput.
 */
export function readJsonObject(answer: string): JsonObject {
  const value = tidy(parseJson(unwrap(answer)), 0);
  if (!isObject(value)) {
    throw new InvalidOutput('The answer must be one JSON object.');
  }
  return value;
}

/** A JSON value that came from outside, storable as a whole. Throws InvalidOutput where it is too deep or has no finite number. */
export function storableJson(value: unknown): unknown {
  return tidy(value, 0);
}

/** A plain-text answer, trimmed and storable. Throws InvalidOutput when nothing is left. */
export function readText(answer: string): string {
  const text = storableText(answer).trim();
  if (text === '') {
    throw new InvalidOutput('The answer must not be empty.');
  }
  return text;
}

/** A JSON object: neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Own properties only, so that a field called constructor or toString is data like any other. */
export function ownValue(object: Readonly<JsonObject>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function unwrap(answer: string): string {
  const text = answer.trim(); // takes the byte order mark too
  return text.length >= 6 && text.startsWith('```') && text.endsWith('```')
    ? text.slice(3, -3).replace(/^[\w-]*/, '')
    : text;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidOutput('The answer must be one JSON object and nothing else.', { cause });
  }
}

function tidy(value: unknown, depth: number): unknown {
  if (typeof value === 'string') {
    return storableText(value);
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new InvalidOutput('Numbers in the answer must be finite.'); // JSON.parse reads 1e999 as Infinity
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (depth === MAX_DEPTH) {
    throw new InvalidOutput(`The answer must not be nested deeper than ${MAX_DEPTH} levels.`);
  }
  if (Array.isArray(value)) {
    return value.map((child) => tidy(child, depth + 1));
  }
  // fromEntries defines properties, so that a __proto__ key stays data.
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [storableText(key), tidy(child, depth + 1)]),
  );
}
