/**
 * Levels of nesting in JSON that is stored or checked: options, metadata, rows and answers.
 * Validators and JSON.stringify recurse, and deeper values would overflow the stack.
 */
export const maxJsonDepth = 100;

/**
 * Characters of one number in JSON that comes from outside: as many as a key of RSA has, and far
 * more than any other. A longer one would be copied, and read, as often as a text.
 */
export const maxNumberLength = 1_000;
export const numberTooLong = `must have numbers of at most ${maxNumberLength.toLocaleString('en')} characters`;

/** A JSON object whose members are not known: neither null nor an array. */
export type JsonRecord = Record<string, unknown>;

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value that is an object; an empty one for any other. */
export function toRecord(value: unknown): JsonRecord {
  return isRecord(value) ? value : {};
}

/** The objects of a list; none of any other value. */
export function recordsOf(value: unknown): JsonRecord[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
