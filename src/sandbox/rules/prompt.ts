/** Reads a chat: which message is the text, what the others say about it. */
import type { PromptContext } from './node.ts';
import { sentencesAsked } from './sentences.ts';

export interface RuleMessage {
  role: string;
  content: string;
}

/** The part that all items of a batch share (all but the last user message), and the item. */
export interface Prompt {
  system: string;
  examples: { text: string; answer: string }[];
  text: string;
}

/** A user message that complains of the answer; the item stands further up. */
const correction =
  /\b(?:your|the|that|this|previous|last) (?:previous |last )?(?:answer|output|response|json)\b.{0,200}\b(?:invalid|not valid|not a valid|must|not allowed|does not|failed|rejected|wrong|is missing)\b/is;

export function readPrompt(messages: readonly RuleMessage[]): Prompt {
  const isSystem = ({ role }: RuleMessage): boolean => role === 'system' || role === 'developer';
  const system = messages.filter(isSystem).map(({ content }) => content);
  const turns = messages.filter(({ role }) => role === 'user' || role === 'assistant');
  const cutToUser = (end: number): void => {
    turns.length = turns.slice(0, end).findLastIndex(({ role }) => role === 'user') + 1;
  };
  cutToUser(turns.length);
  while (turns.length > 2 && correction.test(turns.at(-1)?.content.slice(0, 600) ?? ''))
    cutToUser(turns.length - 1);
  const examples = turns.flatMap(({ role, content: text }, i) => {
    const next = turns[i + 1];
    return role === 'user' && next?.role === 'assistant' ? [{ text, answer: next.content }] : [];
  });
  return { system: system.join('\n\n'), examples, text: turns.at(-1)?.content ?? '' };
}

export function promptContext({ system, examples }: Prompt): PromptContext {
  const instructions = (ownInstructions(system) ?? system).slice(0, 8_000).trim();
  return {
    descriptions: describedNames(system),
    examples,
    instructions,
    sentences: sentencesAsked(instructions),
  };
}

/** The text under a heading of task or instructions, without the schema behind it; else null. */
function ownInstructions(system: string): string | null {
  const heading = /(?:^|\n)(?:#{1,4} |\*\*)?(?:Task|Instructions)\b[^\n:]{0,80}:(?:\*\*)?\s*/;
  const text = system.split(heading)[1]?.split(/\n\n[^\n]{0,120}JSON Schema/)[0];
  return text?.trim() || null;
}

/** Lines such as `- card_arrival: asks where a new card is`: what is said of a name, by name. */
export function describedNames(system: string): Map<string, string> {
  const line =
    /^\s{0,8}(?:[-*•] |\d{1,3}[.)] )?(["'`]?)(.{1,200}?)\1(?: \([^)]{1,40}\))?(?:: | [-–—=] )(.{1,1000})/;
  const found = system.split('\n').flatMap((text) => {
    const [, , name, description] = line.exec(text) ?? [];
    return name && description ? [[name, description] as const] : [];
  });
  return new Map(found.reverse());
}

/** The JSON Schema that a system message states: the object after the last "JSON Schema". */
export function statedSchema(system: string): Record<string, unknown> | null {
  const said = system.toLowerCase().lastIndexOf('json schema');
  const start = said < 0 ? -1 : system.indexOf('{', said);
  let end = system.length;
  for (let tries = 0; start >= 0 && tries < 20; tries++) {
    end = system.lastIndexOf('}', end - 1);
    try {
      return JSON.parse(system.slice(start, end + 1)) as Record<string, unknown>;
    } catch {
      // The brace belongs to the text behind the schema.
    }
  }
  return null;
}
