/**
 * The rules' one entrance: a chat and the wanted form in, the text of an answer out. The same
 * request gets the same answer. Everything but the item is compiled once and kept.
 */
import { compileSchema } from './fill.ts';
import { answerFreely } from './free-text.ts';
import type { JsonSchema } from './json-schema.ts';
import type { Decision } from './node.ts';
import {
  type Prompt,
  promptContext,
  type RuleMessage,
  readPrompt,
  statedSchema,
} from './prompt.ts';
import { readLimit } from './text.ts';

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
const keptRules = 64;
/** A prompt with more characters is compiled for each call: keys are kept in memory. */
const longestKey = 400_000;

export function createRules(): (request: RuleRequest) => RuleAnswer {
  const kept = new Map<string, Rule>();
  return ({ messages, format }) => {
    const prompt = readPrompt(messages);
    const form = format.type === 'text' ? null : format.schemaText;
    const key = JSON.stringify([form, prompt.system, prompt.examples]);
    const rule = kept.get(key) ?? compile(prompt, format);
    if (key.length <= longestKey) kept.set(key, rule);
    if (kept.size > keptRules) kept.delete(kept.keys().next().value as string);
    return rule(prompt.text);
  };
}

function compile(prompt: Prompt, format: RuleRequest['format']): Rule {
  const stated = statedSchema(prompt.system);
  const schema = format.type === 'json' ? (format.schema ?? stated) : stated;
  // A user's own system prompt takes the place of the instructions: the schema then describes them.
  const system = [prompt.system, schema?.description].filter(Boolean).join('\n\n');
  const context = promptContext({ ...prompt, system });
  if (hasShape(schema)) {
    const fill = compileSchema(schema, context);
    return (text) => {
      const { value, decisions } = fill(text.slice(0, readLimit).replace(preface, ''));
      return { content: JSON.stringify(value ?? null), decisions };
    };
  }
  const isObject = format.type === 'json' || /\banswer with (?:one|a) JSON object\b/i.test(system);
  const key = /\bunder the key "(\w{1,40})"/.exec(system)?.[1] ?? 'answer';
  return (text) => {
    const { value, score } = answerFreely(text, context);
    const content = isObject ? JSON.stringify({ [key]: value }) : value;
    return { content, decisions: [{ value, score }] };
  };
}

/** First lines `Context: {…}` and `Written on: …` are not the item's text. */
const preface = /^(?:Context: \{.*\}\n)?(?:Written on: .{1,60}\n)?\n/;

/** `{type: object}` alone says no more than that the answer is JSON. */
function hasShape(schema: JsonSchema | null): schema is JsonSchema {
  const shape = /^(?:properties|\$ref|anyOf|oneOf|allOf|enum|const)$/;
  const isObject = schema?.type === undefined || schema.type === 'object';
  return schema !== null && (!isObject || Object.keys(schema).some((key) => shape.test(key)));
}
