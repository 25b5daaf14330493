/** Reads a chat: which message is the text, what the others say about it. */
import type { PromptContext, SummaryLimits } from './node.ts';
import { summaryLimits } from './summary.ts';

export interface RuleMessage {
  role: string;
  content: string;
}

/** What is fixed for all items of a batch (everything but the last user message), and the item. */
export interface Prompt {
  system: string;
  examples: { text: string; answer: string }[];
  text: string;
}

/** A user message that complains of the answer before it asks for a better one; the item stands further up. */
const correction =
  /\b(?:your|the|that|this|previous|last) (?:previous |last |earlier )?(?:answer|output|response|reply|json)\b.{0,200}\b(?:invalid|not valid|not a valid|must|not allowed|does not|did not|doesn't|violat\w*|failed|rejected|wrong|not one of|cannot be|could not|is missing|breaks)\b/is;

export function readPrompt(messages: readonly RuleMessage[]): Prompt {
  const system = messages
    .filter(({ role }) => role === 'system' || role === 'developer')
    .map(({ content }) => content)
    .join('\n\n');
  const turns = messages.filter(({ role }) => role === 'user' || role === 'assistant');
  let last = turns.findLastIndex(({ role }) => role === 'user');
  while (
    last >= 2 &&
    turns[last - 1]?.role === 'assistant' &&
    correction.test((turns[last]?.content ?? '').slice(0, 600))
  ) {
    last = turns.slice(0, last - 1).findLastIndex(({ role }) => role === 'user');
  }
  const examples: Prompt['examples'] = [];
  for (let i = 0; i + 1 < turns.length && i + 1 < last; i++) {
    const [question, answer] = [turns[i], turns[i + 1]];
    if (question?.role === 'user' && answer?.role === 'assistant') {
      examples.push({ text: question.content, answer: answer.content });
    }
  }
  return { system, examples, text: turns[last]?.content ?? '' };
}

export function promptContext({ system, examples }: Prompt): PromptContext {
  const own = ownInstructions(system);
  return {
    descriptions: describedNames(system),
    examples,
    instructions: own ?? questionIn(system),
    summary: { ...summaryLimits(system), ...(own ? stated(summaryLimits(own)) : {}) },
  };
}

function stated(limits: SummaryLimits): Partial<SummaryLimits> {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== null));
}

/** What stands under a heading of task or instructions, without the schema behind it; null without such a heading. */
export function ownInstructions(system: string): string | null {
  const heading = /(?:^|\n)(?:#{1,4} |\*\*)?(?:Task|Instructions)\b[^\n:]{0,80}:(?:\*\*)?\s*/.exec(
    system,
  );
  if (!heading) return null;
  const text = system.slice(heading.index + heading[0].length);
  const end = text.search(/\n\n[^\n]{0,120}JSON Schema/);
  return (end < 0 ? text : text.slice(0, end)).trim() || null;
}

/** Lines such as `- card_arrival: asks where a new card is`: what is said of a name, by name. */
export function describedNames(system: string): Map<string, string> {
  const described = new Map<string, string>();
  for (const line of system.split('\n')) {
    const match =
      /^\s{0,8}(?:[-*•] |\d{1,3}[.)] )?(["'`]?)(.{1,200}?)\1\s{0,3}(: | [-–—=] | \()(.{1,1000})/.exec(
        line,
      );
    const [, , name, separator, rest] = match ?? [];
    if (!name || !rest || described.has(name)) continue;
    const description = separator === ' (' ? withoutType(rest) : rest;
    if (description) described.set(name, description);
  }
  return described;
}

/** Of `number): the price in euros` the words after the type; in `asks for money back)` there is no type. */
function withoutType(rest: string): string {
  const end = rest.indexOf('): ');
  if (end >= 0) return rest.slice(end + 3);
  const isType =
    /^(?:strings?|texts?|numbers?|integers?|booleans?|true or false|dates?|lists?|arrays?|one of|objects?|null)\b/i;
  return isType.test(rest) ? '' : rest.replace(/\)\s*$/, '');
}

/** The sentences that ask something, for yes and no; at most a few, so that boilerplate does not drown them. */
function questionIn(system: string): string {
  const asked = system.slice(0, 8_000).match(/[^.!?\n]{3,300}\?/g);
  return asked ? asked.slice(0, 3).join(' ') : '';
}

/** The JSON Schema that a system message states in words (json_object): the object after the last "JSON Schema". */
export function statedSchema(system: string): Record<string, unknown> | null {
  const said = Math.max(
    system.lastIndexOf('JSON Schema'),
    system.lastIndexOf('JSON schema'),
    system.lastIndexOf('json schema'),
  );
  const start = said < 0 ? -1 : system.indexOf('{', said);
  if (start < 0) return null;
  const end = closingBrace(system, start);
  if (end < 0) return null;
  try {
    return JSON.parse(system.slice(start, end + 1)) as Record<string, unknown>;
  } catch {
    return null;
  }
}

function closingBrace(text: string, start: number): number {
  let depth = 0;
  let quoted = false;
  for (let i = start; i < text.length; i++) {
    const sign = text[i];
    if (quoted) {
      if (sign === '\\') i++;
      else if (sign === '"') quoted = false;
    } else if (sign === '"') quoted = true;
    else if (sign === '{') depth++;
    else if (sign === '}' && --depth === 0) return i;
  }
  return -1;
}

/** `Extract: person_name, title and company`: the names that instructions list; empty where they list none. */
export function listedNames(instructions: string): string[] {
  const text = instructions.slice(0, 8_000);
  const match =
    /\b(?:extract|fields?|keys?|properties|columns?)(?: (?:as|in|to) json)?(?: the following)?(?: (?:fields?|keys?|properties|values?|information))?(?: from [^:\n]{1,60})?\s?:\s*([^\n.]{2,500}|(?:\n\s*[-*•\d][^\n]{1,200}){1,50})/i.exec(
      text,
    ) ??
    /\b(?:extract|find|return|get)(?: a json object with)?(?: the| all| each)?(?: keys| fields)? ((?:[\w ]{2,30}, ){1,20}(?:and )?[\w ]{2,30})/i.exec(
      text,
    );
  if (!match?.[1]) return [];
  const names = match[1]
    .split(/,|\n|;|\band\b/)
    .map((name) =>
      name
        .replace(/^[\s\-*•\d.)]+/, '')
        .replace(/\(.*$|:.*$/, '')
        .replace(/^(?:the|a|an) /i, '')
        .replace(/["'`{}[\]]/g, '')
        .trim(),
    )
    .filter((name) => /^[\p{L}_][\p{L}\p{N}_ -]{0,40}$/u.test(name) && name.split(' ').length <= 4);
  return [...new Set(names.map((name) => name.replace(/[ -]+/g, '_')))].slice(0, 50);
}

/** Options to choose from that free instructions state: "into: a, b, c", "as positive, negative or neutral". */
export function statedOptions(instructions: string): string[] {
  const text = instructions.slice(0, 8_000);
  const match =
    /\b(?:categories|labels|classes|options|one of|choices|into|as)(?: the following)?(?: (?:categories|labels|classes|options))?\s?:\s*([^\n]{3,2000}|(?:\n\s*[-*•\d][^\n]{1,200}){2,100})/i.exec(
      text,
    ) ??
    /\b(?:into|as(?: either)?|one of|is it|whether it is|answer(?: with)?(?: only)?) ((?:["'`]?[\w -]{1,40}["'`]?, ){0,30}["'`]?[\w-]{1,40}["'`]?,? (?:or|and) ["'`]?[\w-]{1,40}["'`]?)/i.exec(
      text,
    );
  if (!match?.[1]) return [];
  const options = match[1]
    .split(/,|\n|;|\||\/|\bor\b|\band\b/)
    .map((option) => option.replace(/^[\s\-*•"'`[(]+|["'`\s.)\]!?]+$/g, '').trim())
    .filter((option) => option.length > 0 && option.length <= 60);
  return options.length >= 2 ? [...new Set(options)] : [];
}
