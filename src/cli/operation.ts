/** The operation that a command line asks for, with GraphQL's options. */
import type { OperationName, SubmitOptions, Winnow } from '../client/index.ts';
import type { JsonRecord } from '../core/json.ts';
import { WrongUse } from './failure.ts';
import { type FlagName, type Given, numberOf } from './flags.ts';
import { examplesOf, namesOrJson, objectOf, textOf } from './values.ts';

export interface Operation {
  name: OperationName;
  options: JsonRecord;
}

const prompt: readonly FlagName[] = ['system', 'template'];
const model: readonly FlagName[] = ['model', 'temperature', 'max-tokens', 'options'];

/** The flags of each operation's own options. */
export const operationFlags: Readonly<Record<OperationName, readonly FlagName[]>> = {
  label: ['categories', 'multi', 'examples', 'instructions', ...model, ...prompt],
  extract: ['schema', 'instructions', ...model, ...prompt],
  summarize: ['instructions', ...model, ...prompt],
  enrich: ['fields', ...model, ...prompt],
  run: ['instructions', 'schema', ...model, ...prompt],
  chat: ['schema', ...model],
};

/** Throws WrongUse where an option is missing or cannot be read. */
export async function readOperation(name: OperationName, given: Given): Promise<Operation> {
  const options: JsonRecord = {
    model: given.text('model'),
    temperature: numberOf(given, 'temperature', { min: 0, max: 2, whole: false }),
    maxOutputTokens: numberOf(given, 'max-tokens', { min: 1, max: 1_000_000 }),
    systemPrompt: await textOf(given, 'system'),
    userPromptTemplate: await textOf(given, 'template'),
    ...(await ownOptions(name, given)),
    ...(await objectOf(given, 'options')),
  };
  for (const [key, value] of Object.entries(options)) if (value === undefined) delete options[key];
  demand(name, options);
  return { name, options };
}

async function ownOptions(name: OperationName, given: Given): Promise<JsonRecord> {
  const instructions = await textOf(given, 'instructions');
  const schema = await objectOf(given, 'schema');
  switch (name) {
    case 'label':
      return {
        ...(await categoriesOf(given)),
        multiLabel: given.has('multi') || undefined,
        examples: await examplesOf(given),
        instructions,
      };
    case 'extract':
      return { schema, instructions };
    case 'summarize':
      return { instructions };
    case 'enrich':
      return { fields: await namesOrJson(given, 'fields') };
    case 'run':
      return { instructions, responseFormat: schema && { type: 'json_schema', schema } };
    case 'chat':
      return { responseSchema: schema };
  }
}

/** An object in the file has the meaning of each category. */
async function categoriesOf(given: Given): Promise<JsonRecord> {
  const read = await namesOrJson(given, 'categories');
  if (read === undefined || Array.isArray(read)) return { categories: read };
  if (typeof read !== 'object' || read === null) {
    throw new WrongUse('--categories must be a JSON array, or an object of meanings by categories');
  }
  return { categories: Object.keys(read), categoryDescriptions: read };
}

function demand(name: OperationName, options: JsonRecord): void {
  const needed: Partial<Record<OperationName, [option: string, flag: string]>> = {
    label: ['categories', '--categories a,b'],
    enrich: ['fields', '--fields a,b'],
  };
  const [option, flag] = needed[name] ?? [];
  if (option && options[option] === undefined) throw new WrongUse(`winnow ${name} needs ${flag}`);
  if (name === 'extract' && !options.schema && !options.instructions) {
    throw new WrongUse('winnow extract needs --schema, or --instructions');
  }
  const { instructions, systemPrompt, userPromptTemplate } = options;
  if (name === 'run' && !instructions && !systemPrompt && !userPromptTemplate) {
    throw new WrongUse('winnow run needs --instructions');
  }
}

/** The operation as a submit has it: the server checks what the flags cannot. */
export function asSubmit({ name, options }: Operation): Pick<SubmitOptions, OperationName> {
  return { [name]: options } as Pick<SubmitOptions, OperationName>;
}

/** Answers that come at once. */
export interface SampleAnswers {
  results: readonly (Readonly<Record<string, unknown>> & { index: number })[];
  usage: { requests: number; inputTokens: number; outputTokens: number; costUsd: number | null };
  model: string;
}

/** The most that one call takes. */
export const sampleSize = 50;

export interface SampleItem {
  content: string;
  customId?: string;
  metadata?: JsonRecord;
}

/** Answers up to 50 items now. `chat` has no such call. */
export async function answerNow(
  winnow: Winnow,
  { name, options }: Operation,
  items: readonly SampleItem[],
  signal: AbortSignal,
): Promise<SampleAnswers> {
  if (name === 'chat') throw new WrongUse('winnow chat has no --sample');
  const call = winnow[name].bind(winnow) as (
    items: readonly SampleItem[],
    options: JsonRecord,
  ) => Promise<unknown>;
  return (await call(items, { ...options, signal })) as SampleAnswers;
}
