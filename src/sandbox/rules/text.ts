/** Text as words and terms: the common ground of every rule. */
import { stem } from './stem.ts';

/** Characters of an item that rules read: a hostile megabyte then costs no more than a page. */
export const readLimit = 20_000;

export const wordSet = (list: string): ReadonlySet<string> => new Set(list.trim().split(/\s+/));

const stopWords = wordSet(`a about after again all also am an and any are as at be because been
  before being both but by can could did do does doing down during each few for from further had
  has have having he her here hers him his how i if in into is it its just like me more most my
  myself of off on once only or other our ours out over own please same she should so some such
  than that the their them then there these they this those through to too under until up us very
  was we were what when where which while who whom why will with would you your yours hi hello hey
  thanks thank ca im ive id`);
const negations = wordSet('not never no without unable nothing nor');

/** Words that are one thing when they stand together, in texts and in the names of categories. */
const compounds =
  /\b(top|log|sign|set|e|web|pass|direct|charge|cash)(?:p?ed|p?ing|ging)?[ -](up|in|mail|site|code|word|debit|back)\b/g;
const contractions =
  /\b(ca|do|does|did|is|are|was|were|have|has|had|could|wo|would|should)n(?:['’]?t|not)\b/g;

/** Lower-case words; "doesn't" and "doesnt" both end in the word "not". */
export function words(text: string): string[] {
  const plain = text.toLowerCase().replace(contractions, '$1 not');
  return plain.replace(/['’](?:s|re|m|ve|ll|d)\b/g, ' ').match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** `whyVerify_identity?` as `why Verify identity`: names of categories and properties as words. */
export function nameToText(name: string): string {
  return name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/[_\-./?:]+/g, ' ')
    .trim();
}

/** Finds the value that a text itself gives a name, as in `Colour: dark green`. */
export function labelled(name: string): (text: string) => string[] {
  const label = words(nameToText(name)).slice(0, 8).join('[ _-]?');
  const shape = new RegExp(`(?:^|[,;|])[ *-]{0,3}${label} ?[:=] ?([^\\n;|]{1,200})`, 'im');
  return (text) => (label === '' ? [] : [shape.exec(text)?.[1]?.trim() ?? ''].filter(Boolean));
}

export interface Terms {
  /** The stem of every word in order, stop words included: phrases are found here. */
  stream: string[];
  /** The stems that carry meaning, in order, repeated as often as they occur. */
  content: string[];
  /** `not_x` for content words that follow a negation closely. */
  negated: string[];
}

export function terms(text: string): Terms {
  const found: Terms = { stream: [], content: [], negated: [] };
  let reach = 0;
  for (const word of words(text.toLowerCase().replace(compounds, '$1$2'))) {
    const stemmed = stem(word);
    found.stream.push(stemmed);
    // A negation reaches three words.
    if (negations.has(word)) reach = 3;
    else if (!stopWords.has(word) && !stopWords.has(stemmed)) {
      found.content.push(stemmed);
      if (reach-- > 0) found.negated.push(`not_${stemmed}`);
    }
  }
  return found;
}
