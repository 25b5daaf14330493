/** What every registered operation keeps. A new operation joins by its minimal options here. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { InvalidOutput } from '../../src/core/errors.ts';
import { findOperation, operations } from '../../src/operations/index.ts';
import { strictBreaches } from '../support/strict-schema.ts';
import { HOSTILE_TEXTS, issuesOf, prepare } from './support.ts';

const schema = { name: 'string', size: { height: 'number' }, tags: 'string[]?' };
const responseFormat = { type: 'JSON_SCHEMA', schema };

/** The least that an operation takes, an answer to it, and options that use its schema. */
const cases: Record<string, { options: object; answer: string; strictOptions: object }> = {
  label: {
    options: { categories: ['a', 'b'] },
    answer: '{"label": "a", "confidence": 0.5}',
    strictOptions: { categories: ['a', 'b'], multiLabel: true },
  },
  extract: {
    options: { instructions: 'Extract: name' },
    answer: '{"name": "x"}',
    strictOptions: { schema },
  },
  summarize: { options: {}, answer: 'Short.', strictOptions: { responseFormat } },
  enrich: {
    options: { fields: [{ name: 'sector' }] },
    answer: '{"sector": null}',
    strictOptions: {
      fields: [
        { name: 'ä', type: 'LIST' },
        { name: 'day', type: 'DATE' },
      ],
    },
  },
  chat: { options: {}, answer: 'Bonjour', strictOptions: { responseSchema: schema } },
  run: {
    options: { instructions: 'Translate.' },
    answer: 'Bonjour',
    strictOptions: { instructions: 'Translate.', responseFormat },
  },
};

const caseOf = (name: string) => cases[name] ?? { options: {}, answer: '', strictOptions: {} };

it('every registered operation has a case here, and is found by its name', () => {
  expect(Object.keys(cases).sort()).toEqual(operations.map(({ name }) => name).sort());
  for (const operation of operations) {
    expect(findOperation(operation.name)).toBe(operation);
  }
  expect(findOperation('constructor')).toBeUndefined();
});

const named = operations.map((operation) => [operation.name, operation] as const);

describe.each(named.filter(([, { whole }]) => !whole))('%s, which words its requests,', (name) => {
  const { options, strictOptions } = caseOf(name);

  const seen = HOSTILE_TEXTS.filter((text) => text.trim() !== '');

  it.each(seen)('sends %j in the last user message only, exactly as it is', (content) => {
    const prepared = prepare(name, options);

    const messages = prepared.messages({ content, metadata: { secret: 'metadata' } });

    expect(messages.at(-1)).toEqual({ role: 'user', content });
    expect(messages.slice(0, -1)).toEqual(
      prepared.messages({ content: 'other', metadata: null }).slice(0, -1),
    );
    expect(JSON.stringify(messages)).not.toContain('metadata');
  });

  it('sends nothing for a text that is blank', () => {
    for (const content of ['', ' \t\n', '\u00a0']) {
      expect(() => prepare(name, options).messages({ content, metadata: { a: 'x' } })).toThrow(
        expect.objectContaining({ code: 'EMPTY_CONTENT' }),
      );
    }
  });

  it('sends a replaced system prompt exactly', () => {
    const systemPrompt = 'You are {content} $& "quoted"\n';

    // The user's own instructions go behind the user's own prompt, where the answer is text.
    const { instructions: _, ...others } = options as { instructions?: string };
    const messages = prepare(name, {
      ...(name === 'run' ? others : options),
      systemPrompt,
    }).messages({
      content: 'text',
      metadata: null,
    });

    expect(messages).toEqual([
      { role: 'system', content: systemPrompt },
      { role: 'user', content: 'text' },
    ]);
  });

  it('sends a template, filled in, instead of the built-in user message', () => {
    const prepared = prepare(name, { ...options, userPromptTemplate: '{{{content}}} in {lang}' });

    const messages = prepared.messages({ content: '{lang}', metadata: { lang: 'de' } });

    expect(prepared.placeholders).toEqual(['lang']);
    expect(messages.at(-1)?.content).toBe('{{lang}} in de');
  });

  it('asks for nothing that a strict server refuses', () => {
    for (const given of [options, strictOptions]) {
      const { format } = prepare(name, given);
      const isStrict = format.type === 'json' && format.strict;

      expect(isStrict ? strictBreaches(format.schema) : []).toEqual([]);
      expect(format.type === 'json' ? format.name : 'text').toMatch(/^[\w-]{1,64}$/);
    }
    expect(prepare(name, strictOptions).format).toMatchObject({ type: 'json', strict: true });
  });
});

describe.each(named)('%s', (name, operation) => {
  const { options, answer, strictOptions } = caseOf(name);

  it('prepares from its minimal options, and takes explicit nulls as absence', () => {
    const nulls = Object.fromEntries(Object.keys(operation.params.shape).map((key) => [key, null]));
    const item = { content: 'text', metadata: null };

    const prepared = prepare(name, options);
    const preparedWithNulls = prepare(name, { ...nulls, ...options });

    expect(preparedWithNulls.messages(item)).toEqual(prepared.messages(item));
    expect(preparedWithNulls.format).toEqual(prepared.format);
    expect(operation.params.safeParse({}).success).toBe(operation.optionsOptional);
  });

  it.each([
    ['nothing', ''],
    ['white space', ' \uFEFF\n'],
    ['prose', 'Sure! Here it is.'],
    ['an array', '[]'],
    ['null', 'null'],
    ['truncated JSON', '{"label": "a'],
    ['an empty object', '{}'],
    ['an infinite number', '{"name": 1e999}'],
    ['200,000 brackets', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ])('rejects %s for a schema with InvalidOutput', (_, garbage) => {
    const prepared = prepare(name, strictOptions);

    expect(() => prepared.parse({ text: garbage, logprobs: null })).toThrow(InvalidOutput);
  });

  it('reads its answer, and maps it to exactly the declared result fields', () => {
    const prepared = prepare(name, options);

    const output = prepared.parse({ text: answer, logprobs: null });
    const result = prepared.result(JSON.parse(JSON.stringify(output)));

    expect(Object.keys(result)).toEqual(Object.keys(operation.result.shape));
    expect(operation.result.strict().safeParse(result).error).toBeUndefined();
    expect(Object.values(result).some((value) => value !== null)).toBe(true);
  });

  it('has all its result fields nullable, for items that fail', () => {
    const nulls = Object.keys(operation.result.shape).map((key) => [key, null]);

    expect(operation.result.safeParse(Object.fromEntries(nulls)).success).toBe(true);
  });

  it('stores no NUL and no lone surrogate', () => {
    const prepared = prepare(name, options);
    const dirty = 'x\0\uD800y';
    const json = JSON.stringify({ label: 'a', sector: dirty, name: dirty, [dirty]: 1 });

    const text = prepared.format.type === 'text' ? dirty : json;
    const output = prepared.parse({ text, logprobs: null });

    expect(JSON.stringify(output)).not.toMatch(/\\u0000|\\ud800/);
  });

  it('describes every param, result field and enum value in what its input types are made from', () => {
    const inputs = z.toJSONSchema(operation.params, { io: 'input', unrepresentable: 'any' });
    const results = z.toJSONSchema(operation.result, { io: 'output', unrepresentable: 'any' });

    for (const root of [inputs, results]) {
      for (const type of [root, ...Object.values(root.$defs ?? {})]) {
        for (const [field, property] of Object.entries(type.properties ?? {})) {
          expect([field, (property as { description?: string }).description]).toEqual([
            field,
            expect.stringMatching(/^[A-Z].*\.$/s),
          ]);
        }
        const { values = {} } = type as { values?: Record<string, string> };
        expect(Object.keys(values)).toEqual(type.enum ?? []);
      }
    }
  });

  it('takes the shared params within their limits, and names each that is beyond', () => {
    const { whole } = operation;
    const wrong = {
      temperature: 3,
      topP: -1,
      maxOutputTokens: 0,
      seed: 2 ** 31,
      ...(whole ? {} : { userPromptTemplate: 'a } b', systemPrompt: 'a\0b' }),
      reasoningEffort: 'a\uD800',
      extraBody: { stream: true, deep: { list: ['a\0'] } },
      unknown: 1,
    };

    const issues = issuesOf(name, { ...options, ...wrong });

    expect(issues).toEqual(
      expect.arrayContaining([
        'temperature: must be between 0 and 2',
        'topP: must be between 0 and 1',
        'maxOutputTokens: must be between 1 and 1,000,000',
        'seed: must be a 32-bit integer',
        ...(whole
          ? []
          : [
              'userPromptTemplate: must not have a lone } at character 3; write }} for a brace',
              expect.stringMatching(/^systemPrompt: must not contain a NUL/),
            ]),
        expect.stringMatching(/^reasoningEffort: must not contain half of a surrogate/),
        expect.stringMatching(/^extraBody.deep.list.0: must not contain a NUL/),
        ': Unrecognized key: "unknown"',
      ]),
    );
    expect(issues).toHaveLength(whole ? 7 : 9);
    expect(issuesOf(name, { ...options, extraBody: { stream: true } })).toEqual([
      'extraBody.stream: must not be set here',
    ]);
  });

  it('refuses options nested without end instead of overflowing the stack', () => {
    const text = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;

    expect(issuesOf(name, { ...options, extraBody: JSON.parse(text) })).toEqual([
      'extraBody: must not be nested deeper than 100 levels',
    ]);
  });
});

it('inputs and enums have the names of the contract', () => {
  const names = operations.flatMap(({ params, result }) => [
    ...Object.keys(z.toJSONSchema(params, { io: 'input', unrepresentable: 'any' }).$defs ?? {}),
    ...Object.keys(z.toJSONSchema(result, { io: 'output', unrepresentable: 'any' }).$defs ?? {}),
  ]);

  expect([...new Set(names)].sort()).toEqual([
    'ConfidenceMethod',
    'EnrichExampleInput',
    'EnrichFieldInput',
    'EnrichFieldType',
    'ExtractExampleInput',
    'LabelExampleInput',
    'ResponseFormat',
    'ResponseFormatInput',
  ]);
});
