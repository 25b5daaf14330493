/**
 * The rules' one entrance: a chat and the wanted form in, the text of an answer out. Pure: the same request gets the same
 * answer. What is derived from everything but the item is compiled once and kept, by the raw text it is derived from.
 */
import { compileSchema } from './fill.ts';
import { answerBareQuestion, compileFreeTask, leadingSentence, splitTask } from './free-text.ts';
import { createItem } from './item.ts';
import type { JsonSchema } from './json-schema.ts';
import type { Decision } from './node.ts';
import {
  listedNames,
  ownInstructions,
  type Prompt,
  promptContext,
  type RuleMessage,
  readPrompt,
  statedSchema,
} from './prompt.ts';

export interface RuleRequest {
  messages: readonly RuleMessage[];
  /** `schema` is what response_format states; null asks for some JSON object. */
  format: { type: 'text' } | { type: 'json'; schema: JsonSchema | null; schemaText: string };
}

export interface RuleAnswer {
  content: string;
  /** The choices inside the content, in order, with how sure the rule is of each. */
  decisions: readonly Decision[];
}

type Rule = (text: string) => RuleAnswer;

/** Prompts compiled at one time; a batch needs one. */
const KEPT_RULES = 64;
/** A longer prefix is compiled for each call: keys are kept in memory. */
const LONGEST_KEY = 400_000;

export function createRules(): (request: RuleRequest) => RuleAnswer {
  const kept = new Map<string, Rule>();
  return ({ messages, format }) => {
    const prompt = readPrompt(messages);
    const key = keyOf(prompt, format);
    let rule = kept.get(key);
    if (!rule) {
      rule = compile(prompt, format);
      if (key.length <= LONGEST_KEY) {
        if (kept.size >= KEPT_RULES) kept.delete(kept.keys().next().value as string);
        kept.set(key, rule);
      }
    }
    return rule(prompt.text);
  };
}

function keyOf({ system, examples }: Prompt, format: RuleRequest['format']): string {
  let key = format.type === 'text' ? 'text' : `json${format.schemaText}`;
  key += `\u0000${system}`;
  for (const { text, answer } of examples) key += `\u0000${text}\u0001${answer}`;
  return key;
}

function compile(prompt: Prompt, format: RuleRequest['format']): Rule {
  const stated = statedSchema(prompt.system);
  const schema = format.type === 'json' ? (format.schema ?? stated) : stated;
  if (format.type === 'text' && !schema && !asksForObject(prompt)) return compileText(prompt);
  // A user's own system prompt has taken the place of the instructions; they then stand in the schema's description.
  const described = typeof schema?.description === 'string' ? `\n\n${schema.description}` : '';
  const told = { ...prompt, system: prompt.system + described };
  const named = hasShape(schema)
    ? schema
    : schemaOfNames(listedNames(ownInstructions(told.system) ?? told.system));
  if (named) {
    const fill = compileSchema(named, promptContext(told));
    return (text) => {
      const { value, decisions } = fill(createItem(text));
      return { content: JSON.stringify(value ?? null), decisions };
    };
  }
  const key = /\bunder the key "(\w{1,40})"/.exec(told.system)?.[1] ?? 'answer';
  const answer = compileText(told);
  return (text) => {
    const { content, decisions } = answer(text);
    return { content: JSON.stringify({ [key]: content }), decisions };
  };
}

/** In words, where the provider has no other way to say so. */
function asksForObject({ system }: Prompt): boolean {
  return /\banswer with (?:one|a) JSON object\b/i.test(system);
}

/** `{type: object}` alone says no more than that the answer is JSON. */
function hasShape(schema: JsonSchema | null): schema is JsonSchema {
  if (!schema) return false;
  return (
    ['properties', '$ref', 'anyOf', 'oneOf', 'allOf', 'enum', 'const'].some(
      (keyword) => keyword in schema,
    ) ||
    (schema.type !== undefined && schema.type !== 'object')
  );
}

function compileText(prompt: Prompt): Rule {
  const own = ownInstructions(prompt.system);
  const task =
    (own === null ? null : compileFreeTask(own, promptContext(prompt))) ??
    (prompt.system.trim() === '' ? null : compileFreeTask(prompt.system, promptContext(prompt)));
  if (task) return (text) => told(task(createItem(text), text));
  // Nothing understood: a template may have put the task into the user message.
  return (whole) => {
    const { instructions, text } = splitTask(whole);
    const context = promptContext({ system: instructions, examples: prompt.examples, text });
    const inner = text === whole ? null : compileFreeTask(instructions, context);
    if (inner) return told(inner(createItem(text), text));
    const bare = prompt.system.trim() === '' && /\?\s*$/.test(whole.slice(-200));
    return told(bare ? answerBareQuestion(whole) : leadingSentence(createItem(whole), whole));
  };
}

function told({ text, score }: { text: string; score: number }): RuleAnswer {
  return { content: text, decisions: [{ value: text, score }] };
}

/** Keys named in words only: strings, or numbers where the name asks for one; null where nothing is found. */
function schemaOfNames(names: readonly string[]): JsonSchema | null {
  if (names.length === 0) return null;
  const numeric =
    /(?:^|_)(?:price|amount|revenue|year|age|count|quantity|total|salary|percent\w*|rating)(?:_|$)/i;
  const listed = /(?:^|_)(?:tags|keywords|topics|skills|names|people|companies)$/i;
  return {
    type: 'object',
    required: names,
    properties: Object.fromEntries(
      names.map((name) => [
        name,
        listed.test(name)
          ? { type: 'array', items: { type: 'string' } }
          : { type: [numeric.test(name) ? 'number' : 'string', 'null'] },
      ]),
    ),
  };
}
