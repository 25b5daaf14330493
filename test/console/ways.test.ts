/** What the console offers to paste: it is what the API and the command take. */
import { readFileSync } from 'node:fs';
import { buildSchema, type GraphQLError, parse, validate } from 'graphql';
import { getVariableValues } from 'graphql/execution/values.js';
import { expect, it } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { readArguments } from '../../src/cli/flags.ts';
import { readOperation } from '../../src/cli/operation.ts';
import type { OperationName } from '../../src/client/index.ts';
import { stepNames, waysOf } from '../../src/console/pages/new-batch/ways.ts';

const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
const place = { url: 'http://127.0.0.1:4000', fileName: "Ada's file.csv", withKey: true };
const texts = ['It is "good"', "It isn't"];

const operations: Record<string, Record<string, unknown>> = {
  label: {
    categories: ['praise', "don't know"],
    categoryDescriptions: { praise: 'glad' },
    multiLabel: true,
    instructions: 'Be kind.\nAlways.',
    model: 'test/rules',
  },
  extract: { schema: { company: 'string', year: 'integer' }, instructions: '@home' },
  summarize: { maxOutputTokens: 20 },
  enrich: { fields: [{ name: 'stars', type: 'NUMERIC' }] },
  run: {
    instructions: 'Translate',
    systemPrompt: 'You translate.',
    userPromptTemplate: '{content}',
  },
  chat: { responseSchema: { answer: 'string' } },
};
const settings = {
  contentField: 'text',
  customIdField: 'mail id',
  execution: 'PROVIDER_BATCH',
  maxCostUsd: 2.5,
  preview: 10,
  deduplicate: false,
  webhookUrl: 'https://example.com/hook?a=b&c=d',
  name: 'the $1 file',
  expiresInSeconds: 3_600,
} as const;

const cases = Object.entries(operations).flatMap(([operation, options]) =>
  stepNames.map((step) => ({ operation, options, step })),
);

it.each(cases)('$operation, $step', async ({ operation, options, step }) => {
  const input = {
    operation: { [operation]: options },
    source: { fileId: 'file_1' },
    ...settings,
  };
  const way = waysOf(step, input, { ...place, texts });
  if (step === 'Try' && operation === 'chat') {
    expect(way).toBeNull();
    return;
  }
  if (!way) throw new Error(`${step} has no way`);

  expect(problemsOf(way.graphql.query, JSON.parse(way.graphql.variables), step)).toEqual([]);

  const [, name = '', ...args] = wordsOfShell(way.command);
  const command = commands.find((one) => one.name === name);
  const given = readArguments([name, ...args], command?.flags ?? []);
  expect(given.words.at(-1)).toBe(place.fileName);
  expect([given.text('column'), given.text('id')]).toEqual(['text', 'mail id']);
  if (step !== 'Upload') {
    const read = await readOperation(operation as OperationName, given);
    expect(read.options).toEqual(options);
  }

  const [curl, ...words] = wordsOfShell(way.curl);
  expect([curl, words]).toEqual([
    'curl',
    expect.arrayContaining(['authorization: Bearer $WINNOW_API_KEY']),
  ]);
  if (step === 'Upload') {
    expect(words).toContain(`@${place.fileName}`);
  } else {
    const body = JSON.parse(words[words.indexOf('-d') + 1] ?? '');
    expect(problemsOf(body.query, body.variables, step)).toEqual([]);
  }
  expect(way.typescript).not.toMatch(/NUMERIC|PROVIDER_BATCH/);
});

it('names no key where the server has none, and the texts themselves', () => {
  const input = { operation: { label: operations.label ?? {} }, source: { texts } };
  const given = { ...place, withKey: false, texts };

  expect(waysOf('Run', input, given)?.curl).not.toContain('authorization');
  expect(waysOf('Upload', input, given)).toBeNull();
  expect(waysOf('Quote', input, given)?.typescript).toContain("It isn't");
});

/** What is wrong with a document and its variables, in sentences. */
function problemsOf(query: string, variables: Record<string, unknown>, step: string): string[] {
  const document = parse(query);
  const [operation] = document.definitions;
  if (operation?.kind !== 'OperationDefinition') throw new Error('The document has no operation');
  const invalid = validate(schema, document).map(({ message }) => message);
  // A file is no JSON: it is null there, and a part of the request takes its place.
  const given = step === 'Upload' ? { ...variables, file: 'a file' } : variables;
  const { errors = [] } = getVariableValues(schema, operation.variableDefinitions ?? [], given);
  return [...invalid, ...errors.map((error: GraphQLError) => error.message)];
}

/** As a shell parts them: quotation marks of both kinds, and line breaks behind a backslash. */
function wordsOfShell(text: string): string[] {
  const words = text.replaceAll('\\\n', ' ').match(/(?:[^\s'"\\]|\\.|'[^']*'|"[^"]*")+/g) ?? [];
  return words.map((word) =>
    word.replaceAll(/\\(.)|'([^']*)'|"([^"]*)"/g, (_, one, two, three) => one ?? two ?? three),
  );
}
