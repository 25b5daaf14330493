/** Matching what a model wrote to the value that it meant. */

export interface Choices {
  /** The choice that a value names: exactly, or but for case and surrounding white space where only one fits. Else null. */
  match(value: unknown): string | null;
  /** The choices for a message to the model, unless they are too many to repeat. */
  readonly list: string;
}

/** A message with more than this is no help to the model and dear to send. */
const MAX_LIST_LENGTH = 2_000;

export function createChoices(values: readonly string[], name: string): Choices {
  const exact = new Set(values);
  const folded = new Map<string, string | null>();
  for (const value of values) {
    folded.set(fold(value), folded.has(fold(value)) ? null : value);
  }
  const quoted = values.map((value) => JSON.stringify(value)).join(', ');

  return {
    match: (value) => {
      if (typeof value !== 'string') {
        return null;
      }
      return exact.has(value) ? value : (folded.get(fold(value)) ?? null);
    },
    list: quoted.length <= MAX_LIST_LENGTH ? `one of ${quoted}` : `one of the given ${name}`,
  };
}

function fold(value: string): string {
  return value.trim().toLowerCase();
}
