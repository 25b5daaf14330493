/** A systemPrompt of the user's own, with the built-in parts that it names put in their places. */
import { BadUserInput } from '../core/errors.ts';
import { maxItemPromptLength } from './template.ts';

/** Names in braces that stand for a part. */
type PartName = 'categories' | 'fields' | 'instructions';

/** The built-in parts that an operation has; null or blank where the options leave one open. */
export type PromptParts = Readonly<Partial<Record<PartName, string | null | undefined>>>;

export interface OwnSystemPrompt {
  readonly text: string;
  /** True when the prompt names the part. */
  has(part: PartName): boolean;
  /** True where it says nothing of the categories or fields. */
  readonly isBlind: boolean;
}

const names = /\{(categories|fields|instructions)\}/g;

/**
 * Null without a systemPrompt. Throws BadUserInput where it would be too long. Every brace that
 * stands for no part of the operation stays as it is.
 */
export function ownSystemPrompt(
  systemPrompt: string | null | undefined,
  parts: PromptParts,
): OwnSystemPrompt | null {
  if (systemPrompt == null) return null;
  const placed = new Map<string, string>();
  let length = systemPrompt.length;
  for (const [, name] of systemPrompt.matchAll(names) as Iterable<[string, PartName]>) {
    if (!Object.hasOwn(parts, name)) continue;
    const part = parts[name]?.trim() ? parts[name] : '';
    placed.set(name, part);
    length += part.length;
  }
  refuseTooLong(length);
  return {
    // In one pass: what is put in may have such braces itself.
    text: systemPrompt.replace(names, (braces, name: PartName) => placed.get(name) ?? braces),
    has: (part) => placed.has(part),
    isBlind: !placed.get('categories') && !placed.get('fields'),
  };
}

/** Counted before it is made: a prompt may name a long part 50,000 times. */
function refuseTooLong(characters: number): void {
  if (characters <= maxItemPromptLength) return;
  const message = `must have at most ${maxItemPromptLength} characters with the parts that it names, not ${characters}`;
  throw new BadUserInput([{ path: 'systemPrompt', message }]);
}
