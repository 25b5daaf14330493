/** When two JSON values are the same one. */
import { isRecord } from '../../core/json.ts';

/** A text that only equal values share: keys in any order, numbers by their value. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isRecord(value)) return JSON.stringify(value) ?? 'null';
  const members = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`);
  return `{${members.join(',')}}`;
}

/** Makes a test of membership, which takes the same time for any number of values. */
export function createMembership(values: readonly unknown[]): (value: unknown) => boolean {
  const isPlain = (value: unknown) => typeof value !== 'object' || value === null;
  const plain = new Set(values.filter(isPlain));
  const whole = new Set(values.filter((value) => !isPlain(value)).map(canonical));
  return (value) =>
    isPlain(value) ? plain.has(value) : whole.size > 0 && whole.has(canonical(value));
}
