/** The synonym table, parsed: from a phrase of stems to the stems it implies. */
import { synonyms } from './lexicons/synonyms.ts';
import { type Terms, terms } from './text.ts';

export interface Implications {
  /** Implied terms by phrase; a phrase is 1 to MAX_PHRASE stems, joined by spaces, or one `not_x`. */
  readonly byPhrase: ReadonlyMap<string, readonly string[]>;
  /** The longest phrase that starts with a stem. */
  readonly longest: ReadonlyMap<string, number>;
}

function parse(table: string): Implications {
  const byPhrase = new Map<string, string[]>();
  const longest = new Map<string, number>();
  for (const line of table.split('\n')) {
    const [left, right] = line.split('>');
    if (!left || !right) continue;
    const implied = impliedTerms(right);
    for (const phrase of left.split(',')) {
      const parsed = terms(phrase);
      for (const key of keys(parsed)) {
        const known = byPhrase.get(key);
        byPhrase.set(key, known ? [...new Set([...known, ...implied])] : implied);
        const first = key.split(' ', 1)[0] as string;
        longest.set(first, Math.max(longest.get(first) ?? 0, key.split(' ').length));
      }
    }
  }
  return { byPhrase, longest };
}

/** The right-hand side: here "not" holds for one word, and takes the plain word's place. */
function impliedTerms(right: string): string[] {
  return right.split(/not (?=\w)/).flatMap((part, i) => {
    if (i === 0) return terms(part).content;
    const [negated = '', ...plain] = part.trim().split(/\s+/);
    return [...terms(`not ${negated}`).negated, ...terms(plain.join(' ')).content];
  });
}

/** What a name means: its content stems, and its negated ones. */
export function meaning(parsed: Terms): string[] {
  return [...new Set([...parsed.content, ...parsed.negated])];
}

function keys(parsed: Terms): string[] {
  const exact = parsed.stream.join(' ');
  if (exact === '') return [];
  const onlyNegation = parsed.negated.length === 1 && parsed.content.length === 1;
  return onlyNegation ? [exact, parsed.negated[0] as string] : [exact];
}

export const implications: Implications = parse(synonyms);
