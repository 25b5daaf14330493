/** One text to answer about, with the views of it that rules ask for, each made at most once. */

import { sentencesOf } from './sentences.ts';
import { type Sentiment, sentimentOf } from './sentiment.ts';
import { READ_LIMIT, type Terms, terms } from './text.ts';

export interface Item {
  /** The beginning of the text, as far as rules read. */
  readonly text: string;
  readonly terms: Terms;
  readonly sentences: readonly string[];
  readonly sentiment: Sentiment;
  /** Values that the text itself labels: `Phone: 123` lines and JSON keys, by the label's stems. */
  readonly labelled: ReadonlyMap<string, string>;
}

export function createItem(full: string): Item {
  const { context, content } = splitContext(
    full.length > READ_LIMIT ? full.slice(0, READ_LIMIT) : full,
  );
  const text = content;
  let termsView: Terms | undefined;
  let sentences: readonly string[] | undefined;
  let sentiment: Sentiment | undefined;
  let labelled: ReadonlyMap<string, string> | undefined;
  return {
    text,
    get terms() {
      termsView ??= terms(text);
      return termsView;
    },
    get sentences() {
      sentences ??= sentencesOf(text);
      return sentences;
    },
    get sentiment() {
      sentiment ??= sentimentOf(text);
      return sentiment;
    },
    get labelled() {
      labelled ??= labelledValues(text, context);
      return labelled;
    },
  };
}

export function labelKey(label: string): string {
  return terms(label.replace(/_/g, ' ').replace(/([a-z\d])([A-Z])/g, '$1 $2')).stream.join(' ');
}

/**
 * First lines `Context: {…}`, which holds fields of the item, and `Written on: …` are not its text.
 */
function splitContext(text: string): { context: Record<string, unknown>; content: string } {
  const match = /^(?:Context: (\{.*\})\n)?(?:Written on: .{1,60}\n)?\n/.exec(text);
  if (!match || match[0] === '\n') return { context: {}, content: text };
  try {
    const context = JSON.parse(match[1] ?? '{}') as Record<string, unknown>;
    return { context, content: text.slice(match[0].length) };
  } catch {
    return { context: {}, content: text };
  }
}

const LABEL_LENGTH = 40;

function labelledValues(text: string, context: Record<string, unknown>): Map<string, string> {
  const found = new Map<string, string>();
  const add = (label: string, value: string): void => {
    const key = labelKey(label);
    const trimmed = value.trim().replace(/^["'`]|["'`],?$/g, '');
    if (key && trimmed && !found.has(key)) found.set(key, trimmed);
  };
  for (const [label, value] of Object.entries(context)) {
    if (typeof value === 'string' || typeof value === 'number') add(label, String(value));
  }
  if (!text.includes(':') && !text.includes('=')) return found;
  for (const line of text.split(/[\n;|]/)) {
    const colon = line.search(/[:=]/);
    if (colon < 1 || colon > LABEL_LENGTH || line[colon + 1] === '/') continue;
    const label = line.slice(0, colon).replace(/^[\s\-*•"'`{,]+|["'`\s*]+$/g, '');
    if (label.split(/\s+/).length <= 4 && /^\p{L}[\p{L}\p{N}\s_-]*$/u.test(label))
      add(label, line.slice(colon + 1));
  }
  return found;
}
