/** Matching what a model wrote to the value that it meant. */

import { shortList } from './short-list.ts';

export interface Choices {
  /** The choice that a value names: exactly, or but for its form where only one fits. Else null. */
  match(value: unknown): string | null;
  /** The choices for a message to the model, unless they are too many to repeat. */
  readonly list: string;
  /** The same for people. */
  readonly shortList: string;
}

/** A longer message does not help the model, and costs tokens. */
const maxListLength = 2_000;

/** Longer than any choice in whatever quotes. */
const maxTextLength = 2_000;

/**
 * Forms of a name, less and less strict. A looser rule is not asked about a name that fits one
 * choice by a stricter rule.
 */
const rules: readonly ((value: string) => string)[] = [
  inNfc,
  (value) => foldCase(value.trim()),
  (value) => foldCase(bare(value)),
  (value) => joined(foldCase(bare(value))),
];

export function createChoices(values: readonly string[], name: string): Choices {
  const exact = new Set(values);
  const folded = rules.map((rule) => {
    const byForm = new Map<string, string | null>();
    for (const value of values) {
      const form = rule(value);
      byForm.set(form, byForm.has(form) ? null : value);
    }
    return { rule, byForm };
  });
  const names = values.map((value) => JSON.stringify(value));
  const quoted = names.join(', ');

  return {
    match(value) {
      const text = textOf(value);
      if (text === null || exact.has(text)) return text;
      if (text.length > maxTextLength) return null;
      for (const { rule, byForm } of folded) {
        const form = rule(text);
        const found = form === '' ? undefined : byForm.get(form);
        if (found !== undefined) return found;
      }
      return null;
    },
    shortList: `one of ${shortList(names)}`,
    list: quoted.length <= maxListLength ? `one of ${quoted}` : `one of the given ${name}`,
  };
}

/** Letters with accents in one of the two ways that Unicode has for them. */
export function inNfc(value: string): string {
  return value.normalize('NFC');
}

/** Values such as "5" and "true" are written without quotes now and then. */
function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

/** Also of letters that one case alone has, such as ß. */
function foldCase(value: string): string {
  return inNfc(value).toUpperCase().toLowerCase();
}

const leading = /^[\s"'`´“”„‟‘’‚‛«»‹›]+/;
const trailing = /[\s"'`´“”„‟‘’‚‛«»‹›]+$/;

/** Without white space, quotes and one ending dot around it. */
function bare(value: string): string {
  return value.replace(leading, '').replace(trailing, '').replace(/\.$/, '').replace(trailing, '');
}

/** Without blanks, hyphens, underscores. A minus stays, and a mark between digits (1-5, 1.5). */
function joined(value: string): string {
  return value
    .replace(/(?<=\d)[\s\p{Pd}_]+(?=\d)/gu, '\0')
    .replace(/^[\s_]*[\p{Pd}−](?=\s*[\d.])/u, '\x01')
    .replace(/[\s\p{Pd}_]+/gu, '');
}
