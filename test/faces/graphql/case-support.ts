/**
 * Cases of answers: an operation, its options, one item, and what a scripted provider writes, asked
 * through the public API.
 */
import { readFileSync } from 'node:fs';
import type { App } from '../../support/app.ts';
import { completion, type StubProvider, type StubReply } from '../../support/stub-provider.ts';
import { type Data, post } from './support.ts';

export interface AnswerCase {
  operation: string;
  options: Record<string, unknown>;
  item: string;
  /** What the model writes, in order; the last one again. */
  answers: string[];
}

export function readCase(name: string): AnswerCase {
  return JSON.parse(caseText(name)) as AnswerCase;
}

export function caseText(name: string): string {
  return readFileSync(new URL(`../../cases/${name}`, import.meta.url), 'utf8');
}

const resultFields: Record<string, string> = {
  label: 'label labels confidence confidenceMethod',
  extract: 'data',
  summarize: 'summary data',
  enrich: 'data',
  run: 'text data',
};

export interface CaseResult {
  result: Data;
  /** The whole answer, in which numbers are as they were sent. */
  text: string;
  requests: number;
}

/**
 * Runs a case synchronously. `more` overrides options; `fields` are read of the result beside the
 * operation's own.
 */
export async function runCase(
  app: App,
  stub: StubProvider,
  { operation, options, item, answers }: AnswerCase,
  { more = {}, fields = '', reply = said }: RunOptions = {},
): Promise<CaseResult> {
  stub.requests.length = 0;
  stub.reply(...answers.map(reply));
  const type = `${operation.charAt(0).toUpperCase()}${operation.slice(1)}Options!`;
  const { body, text } = await post(app, {
    query: `mutation($items: [ItemInput!]!, $options: ${type}) { ${operation}(items: $items, options: $options) {
      results { ${resultFields[operation]} error { code message } ${fields} } } }`,
    variables: { items: [{ content: item }], options: { ...options, ...more } },
  });
  if (body.errors) throw new Error(JSON.stringify(body.errors));
  return { result: body.data?.[operation].results[0], text, requests: stub.requests.length };
}

interface RunOptions {
  more?: Record<string, unknown>;
  fields?: string;
  reply?: (answer: string) => StubReply;
}

const said = (answer: string): StubReply => ({ body: completion(answer) });

/** The schema of an object that requires all of these properties. */
export const objectOf = (
  properties: Record<string, any>,
  more: Record<string, any> = {},
): Record<string, any> => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  ...more,
});
