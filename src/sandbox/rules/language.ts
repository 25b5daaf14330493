/** Guesses the language of a text from its script and its small words. */
import { languages } from './lexicons/languages.ts';

const SAMPLE = 2_000;
const smallWords = languages.map(({ words }) => new Set(words.split(' ').filter(Boolean)));

/** Scores in 0..1 per language of the table, in its order. */
export function languageScores(text: string): Float64Array {
  const sample = text.slice(0, SAMPLE);
  const found = sample.toLowerCase().match(/\p{L}+/gu) ?? [];
  const letters = Math.max(
    1,
    found.reduce((sum, word) => sum + word.length, 0),
  );
  return Float64Array.from(languages, ({ script }, i) => {
    if (script) return Math.min(1, ((sample.match(script)?.length ?? 0) / letters) * 2);
    let hits = 0;
    for (const word of found) if (smallWords[i]?.has(word)) hits++;
    return Math.min(1, (hits / Math.max(1, found.length)) * 2.5);
  });
}

/** The likeliest language's English name, capitalised; null when nothing gives it away. */
export function guessLanguage(text: string): { name: string; score: number } | null {
  const scores = languageScores(text);
  let best = 0;
  for (let i = 1; i < scores.length; i++) {
    if ((scores[i] as number) > (scores[best] as number)) best = i;
  }
  const score = scores[best] as number;
  const name = languages[best]?.name;
  return score > 0 && name ? { name: name[0]?.toUpperCase() + name.slice(1), score } : null;
}

/** Which language of the table a category names; -1 for none. */
export function languageNamed(category: string): number {
  const name = category.trim().toLowerCase();
  return languages.findIndex((one) => one.name === name || one.codes.split(' ').includes(name));
}
