/** A systemPrompt of the user's own, with the built-in parts that it names put in their places. */

/** What stands in braces for a part. */
type PartName = 'categories' | 'fields' | 'instructions';

/** The built-in parts that an operation has; null or blank where the options leave one open. */
export type PromptParts = Readonly<Partial<Record<PartName, string | null | undefined>>>;

export interface OwnSystemPrompt {
  readonly text: string;
  /** Whether a part stands in it. */
  has(part: PartName): boolean;
  /** True where it says nothing of the categories or fields. */
  readonly isBlind: boolean;
}

const names = /\{(categories|fields|instructions)\}/g;

/** Null without a systemPrompt. Every brace that stands for no part of the operation stays as it is. */
export function ownSystemPrompt(
  systemPrompt: string | null | undefined,
  parts: PromptParts,
): OwnSystemPrompt | null {
  if (systemPrompt == null) return null;
  const placed = new Set<string>();
  // In one pass: what is put in may have such braces itself.
  const text = systemPrompt.replace(names, (braces, name: PartName) => {
    if (!Object.hasOwn(parts, name)) return braces;
    placed.add(name);
    return parts[name]?.trim() ? parts[name] : '';
  });
  return {
    text,
    has: (part) => placed.has(part),
    isBlind: !placed.has('categories') && !placed.has('fields'),
  };
}
