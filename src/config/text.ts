/** The fault of a setting, in plain words that quote no value. */
import type { z } from 'zod';
import { nearestSetting } from './strange-variables.ts';

/** Where, and what. */
export function describeIssue({ path, ...issue }: z.core.$ZodIssue): string {
  const name = path.join('.');
  // A bad name says "Invalid key in record"; what is wrong with it stands inside.
  const [inner] = issue.code === 'invalid_key' ? issue.issues : [];
  const { message } = inner ?? issue;
  // What is a sentence with the name in front is written as one.
  return /^(is|must|has) /.test(message) ? `${name} ${message}` : `${name}: ${message}`;
}

/** For zod, where a schema has no words of its own. Undefined: zod's stand. */
export function textOf(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'too_big':
      return `must be at most ${issue.maximum}`;
    case 'too_small':
      return issue.origin === 'string' ? 'is empty' : `must be at least ${issue.minimum}`;
    case 'invalid_type':
      return `must be ${kinds[issue.expected] ?? 'of another type'}`;
    default:
      return undefined;
  }
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object with names as its keys',
};

/** For zod, where a number has to be whole; bounds have words of their own. */
export const wholeNumber = {
  error: ({ code }: { code?: string | undefined }) =>
    code === 'invalid_type' ? 'must be a whole number' : undefined,
};

const plainName = /^[A-Za-z_][\w-]{0,40}$/;

/** For an object of settings: its words for a key that it does not know. */
export function withoutOthers(known: readonly string[]) {
  return {
    error: (issue: { code?: string | undefined; keys?: unknown }): string | undefined => {
      if (issue.code !== 'unrecognized_keys') return undefined;
      const [key = ''] = issue.keys as readonly string[];
      // A text that is not a name could be a value in the wrong place.
      if (!plainName.test(key)) return `must only have the settings ${known.join(', ')}`;
      const near = nearestSetting(key, known);
      const hint = near ? `did you mean ${near}?` : `allowed are ${known.join(', ')}`;
      return `must not have the setting ${key}; ${hint}`;
    },
  };
}
