/**
 * The thought of a reasoning model before its answer. Unless the server removes the thought, it
 * stands before the answer in a block, whose opening tag may be part of the prompt and so be
 * missing.
 */
import { InvalidOutput } from '../core/errors.ts';

const opening = /^\s*<(think|thinking|reasoning)>/i;
const firstTag = /<(\/?)(?:think|thinking|reasoning)>/i;

/**
 * Where the answer begins behind a block that the text opens with; 0 where it opens with none.
 * Throws InvalidOutput where the block does not end.
 */
export function behindOpenedThought(text: string): number {
  const [opened = '', name = ''] = opening.exec(text) ?? [];
  if (name === '') return 0;
  const closing = new RegExp(`</${name}>`, 'gi');
  closing.lastIndex = opened.length;
  if (!closing.test(text)) {
    throw new InvalidOutput(`The answer must stand behind </${name}>, and that block has no end.`);
  }
  return closing.lastIndex;
}

/**
 * Start of the answer after a block whose opening tag is missing. 0 without such a block. A tag in
 * quotes belongs to the text, and so does a tag whose opening tag stands later than at the start.
 */
export function behindUnopenedThought(text: string): number {
  const tag = firstTag.exec(text);
  if (tag?.[1] !== '/') return 0;
  const end = tag.index + tag[0].length;
  const isQuoted = quotes.has(text[tag.index - 1] ?? '') && quotes.has(text[end] ?? '');
  return isQuoted ? 0 : end;
}

const quotes: ReadonlySet<string> = new Set('`"\'“”„‘’«»');

/** The text without the block that it begins with. */
export function withoutThought(text: string): string {
  return text.slice(behindOpenedThought(text) || behindUnopenedThought(text));
}
