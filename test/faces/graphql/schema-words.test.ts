/**
 * Answer schemas in the words that people come with: OpenAPI's, older drafts', the short form's, or
 * none but names.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import { completion, type StubProvider } from '../../support/stub-provider.ts';
import { caseText, objectOf, readCase, runCase } from './case-support.ts';
import { submitMutation, untilEnded } from './support.ts';

type Schema = Record<string, any>;

let app: App;
let stub: StubProvider;
beforeAll(async () => {
  ({ app, stub } = await startStubApp());
});
afterAll(() => app.stop());

/**
 * Extracts by a schema from one item that is answered so, and gives what was sent and what came of
 * it.
 */
async function extract(options: Schema, ...answers: unknown[]) {
  const written = answers.map((answer) =>
    typeof answer === 'string' ? answer : JSON.stringify(answer),
  );
  const given = { operation: 'extract', options, item: 'x', answers: written };
  const { result, requests } = await runCase(app, stub, given);
  return { result, requests, sent: sentSchema() };
}

function sentSchema(): Schema {
  return stub.requests[0]?.body.response_format.json_schema?.schema;
}

/** What a schema is refused for. */
async function refusal(schema: Schema): Promise<{ path: string; message: string }[]> {
  const { errors } = await app.graphql(
    'mutation($schema: JSONObject) { extract(items: [{content: "x"}], options: {schema: $schema}) { model } }',
    { schema },
  );
  return errors?.[0]?.extensions.issues;
}

describe('nullable', () => {
  it('is sent as a type, and null is taken', async () => {
    const { result, requests } = await runCase(app, stub, readCase('nullable.answer.json'));

    expect(sentSchema().properties.authorName.type).toEqual(['string', 'null']);
    expect(result).toEqual({ data: { title: 'Cats', authorName: null }, error: null });
    expect(requests).toBe(1);
  });

  it('of the schema alone is told in the list of fields', async () => {
    await extract(
      { schema: JSON.parse(caseText('nullable-schema.json')) },
      {
        title: 'Cats',
        authorName: null,
      },
    );

    expect(stub.requests[0]?.body.messages[0].content).toContain('- "authorName" (string or null)');
  });

  it.each([
    ['a list', { type: 'array', items: { type: 'string' } }],
    ['an object', objectOf({ b: { type: 'string' } })],
    ['an object without a type', { properties: { b: { type: 'string' } } }],
    ['a reference', { $ref: '#/$defs/d' }],
    ['a wrapped reference', { allOf: [{ $ref: '#/$defs/d' }], description: 'd' }],
    ['alternatives', { anyOf: [{ type: 'string' }, { type: 'number' }] }],
    ['one of several', { oneOf: [{ type: 'string' }, { type: 'number' }] }],
    ['an enum that has null', { type: 'string', enum: ['x', null] }],
    ['several types', { type: ['string', 'number'] }],
  ])('stands beside %s', async (_what, schema) => {
    const $defs = { d: objectOf({ b: { type: 'string' } }) };
    const { result, sent } = await extract(
      { schema: objectOf({ a: { ...schema, nullable: true } }, { $defs }) },
      { a: null },
    );

    expect(result).toEqual({ data: { a: null }, error: null });
    expect(JSON.stringify(sent.properties.a)).toContain('"null"');
  });

  it('beside an enum without null allows none, as OpenAPI has it', async () => {
    const a = { type: 'string', enum: ['x', 'y'], nullable: true };
    const { result, sent } = await extract({ schema: objectOf({ a }) }, { a: null }, { a: 'x' });

    expect(sent.properties.a).toEqual({ type: 'string', enum: ['x', 'y'] });
    expect(result.data).toEqual({ a: 'x' });
  });

  it('that is neither true nor false is refused', async () => {
    expect(await refusal(objectOf({ a: { type: 'string', nullable: 'yes' } }))).toEqual([
      { path: 'options.schema.properties.a.nullable', message: 'must be true or false' },
    ]);
  });
});

it('values that the schema refuses elsewhere are not sent as allowed', async () => {
  const a = { type: 'string', enum: ['a', 'too long', 'b'], maxLength: 1 };
  const { sent } = await extract({ schema: objectOf({ a }) }, { a: 'b' });

  expect(sent.properties.a.enum).toEqual(['a', 'b']);
});

describe('the short form', () => {
  const { forms, refused } = JSON.parse(caseText('short-form.schemas.json'));
  /** Null is allowed as the short form always has it. */
  const withoutNull = (schema: Schema): Schema => {
    const { anyOf, ...rest } = schema;
    if (anyOf) {
      const [only] = anyOf.filter(({ type }: Schema) => type !== 'null');
      return withoutNull({ ...rest, ...only });
    }
    return Array.isArray(schema.type)
      ? { ...schema, type: schema.type.filter((type: string) => type !== 'null')[0] }
      : schema;
  };

  it.each(forms.slice(0, -1) as { form: Schema; is: Schema }[])('$form', async ({ form, is }) => {
    const nulls = Object.fromEntries(Object.keys(is).map((key) => [key, null]));
    const { result, sent } = await extract({ schema: form }, nulls);

    const properties = Object.entries(sent.properties as Schema);
    expect(Object.fromEntries(properties.map(([key, one]) => [key, withoutNull(one)]))).toEqual(is);
    expect(result).toEqual({ data: nulls, error: null });
  });

  it('has objects inside, as before', async () => {
    const { sent } = await extract(
      { schema: forms.at(-1).form },
      { employer: { name: 'Acme', city: null } },
    );

    expect(Object.keys(sent.properties.employer.properties)).toEqual(['name', 'city']);
  });

  it.each(refused as { form: Schema }[])(
    '$form is refused with the type meant',
    async ({ form }) => {
      const [issue] = await refusal(form);

      expect(issue?.path).toBe('options.schema.company');
      expect(issue?.message).toMatch(/^unknown type "strin"; did you mean string\?/);
    },
  );

  it.each([
    [{ a: 'intger[]' }, 'a', 'did you mean integer?'],
    [{ a: 'datetime' }, 'a', 'did you mean { "type": "string", "format": "date-time" }? Use'],
    [{ a: 'str' }, 'a', 'did you mean string? Use'],
    [{ a: 'won' }, 'a', 'unknown type "won"; use string'],
    [{ a: 'integer (year)' }, 'a', 'neither a type nor a description'],
    [{ a: 'string | null' }, 'a', 'neither a type nor a description'],
    [{ a: ['string', 'number'] }, 'a', 'could be types or values'],
    [{ a: ['won'] }, 'a.0', 'unknown type "won"'],
    [{ a: { type: 'string', title: 'string' } }, 'a.title', 'could be the title of this field'],
    [{ a: { type: 'string', descripton: 'the employer' } }, 'a.descripton', 'description'],
    [{ a: { type: 'integer', minimum: 'x' } }, 'a.minimum', 'must be number'],
    [{ a: [{ type: 'string', pattern: '(' }] }, 'a.0.pattern', 'must be a regular expression'],
    [{ a: { b: { type: 'string', pattern: '(' } } }, 'a.b.pattern', 'must be a regular expression'],
  ])('%j is refused at its place', async (form, path, message) => {
    const [issue] = await refusal(form);

    expect(issue?.path).toBe(`options.schema.${path}`);
    expect(issue?.message).toContain(message);
  });

  it('has lists of described texts, of values and of schemas', async () => {
    const { sent } = await extract(
      {
        schema: {
          names: ['one of the people'],
          sizes: [['small', 'large']],
          years: [{ type: 'integer', minimum: 1900 }],
          when: { type: 'string', format: 'date', description: 'the day' },
          whole: { type: 'object', properties: { b: { type: 'string' } }, required: ['b'] },
          size: { anyOf: [{ type: 'number' }, { type: 'string' }], description: 'in any unit' },
        },
      },
      { names: [], sizes: ['small'], years: [1999], when: null, whole: { b: 'x' }, size: 5 },
    );

    expect(sent.properties).toEqual({
      names: { type: 'array', items: { type: 'string', description: 'one of the people' } },
      sizes: { type: 'array', items: { type: 'string', enum: ['small', 'large'] } },
      years: { type: 'array', items: { type: 'integer', minimum: 1900 } },
      when: { type: ['string', 'null'], format: 'date', description: 'the day' },
      whole: {
        type: 'object',
        properties: { b: { type: 'string' } },
        required: ['b'],
        additionalProperties: false,
      },
      size: {
        anyOf: [{ type: 'number' }, { type: 'string' }, { type: 'null' }],
        description: 'in any unit',
      },
    });
  });
});

describe('older drafts', () => {
  it('tuples are translated', async () => {
    const schema = JSON.parse(caseText('draft-7-tuple.schema.json'));

    const { result, requests } = await extract(
      { schema },
      { point: ['x', 'y'] },
      { point: [1, 'y'] },
    );

    expect(result).toEqual({ data: { point: [1, 'y'] }, error: null });
    expect(requests).toBe(2);
  });

  it('exclusive limits are translated', async () => {
    const schema = JSON.parse(caseText('draft-4-limit.schema.json'));

    const { result, sent } = await extract({ schema }, { age: 0 }, { age: 1 });

    expect(sent.properties.age).toEqual({ type: 'integer', exclusiveMinimum: 0 });
    expect(result.data).toEqual({ age: 1 });
  });

  it.each([
    [
      'additionalItems',
      { type: 'array', items: [{ type: 'number' }], additionalItems: { type: 'string' } },
      [1, true],
      [1, 'x'],
    ],
    ['no additionalItems', { items: [{ type: 'number' }], additionalItems: false }, [1, 2], [1]],
    ['exclusiveMaximum', { type: 'number', maximum: 5, exclusiveMaximum: true }, 5, 4.9],
    ['exclusiveMaximum off', { type: 'number', maximum: 5, exclusiveMaximum: false }, 6, 5],
    [
      'dependencies',
      { properties: { b: {}, c: {} }, dependencies: { b: ['c'] }, type: 'object' },
      { b: 1 },
      { b: 1, c: 2 },
    ],
    ['definitions', { $ref: '#/definitions/d' }, 'x', 7],
    ['a reference by the address', { $ref: 'https://example.com/s#/definitions/d' }, 'x', 7],
  ])('%s of no named draft are translated', async (_what, a, bad, good) => {
    const schema = objectOf(
      { a },
      { id: 'https://example.com/s', definitions: { d: { type: 'integer' } } },
    );

    const { result } = await extract({ schema }, { a: bad }, { a: good });

    expect(result).toEqual({ data: { a: good }, error: null });
  });

  it.each([
    ['2020-12', { type: 'array', items: [{}] }, 'items', 'prefixItems'],
    ['2020-12', { type: 'array', additionalItems: false }, 'additionalItems', 'items'],
    ['2020-12', { minimum: 3, exclusiveMinimum: true }, 'exclusiveMinimum', 'exclusiveMinimum: 3'],
    ['2019-09', { exclusiveMaximum: false }, 'exclusiveMaximum', 'is of draft 4'],
  ])('draft %s refuses %j, and says what replaces it', async (draft, a, keyword, words) => {
    const $schema = `https://json-schema.org/draft/${draft}/schema`;
    const [issue] = await refusal({ $schema, ...objectOf({ a }) });

    expect(issue?.path).toBe(`options.schema.properties.a.${keyword}`);
    expect(issue?.message).toContain(words);
  });

  it.each([
    [{ type: 'string', required: true }, 'required', 'must be a list of names'],
    [{ type: 'number', divisibleBy: 2 }, 'divisibleBy', 'multipleOf replaces it'],
    [{ exclusiveMinimum: true }, 'exclusiveMinimum', 'must be a number'],
    [{ items: [{ type: 'strng' }] }, 'items.0.type', 'must be one or a list of'],
  ])('%j is refused at its place in the given schema', async (a, path, words) => {
    const [issue] = await refusal(objectOf({ a }));

    expect(issue?.path).toBe(`options.schema.properties.a.${path}`);
    expect(issue?.message).toContain(words);
  });
});

describe('names in instructions', () => {
  const named = readCase('instructions-only.answer.json');
  const names = ['person_name', 'title', 'company', 'seat_count', 'timeline'];

  it('are a strict schema, and what has none of them is asked again', async () => {
    const { result, requests } = await runCase(app, stub, named);

    expect(stub.requests[0]?.body.response_format.json_schema.strict).toBe(true);
    expect(Object.keys(sentSchema().properties)).toEqual(names);
    expect(sentSchema().required).toEqual(names);
    expect(requests).toBe(2);
    expect(result.data).toEqual(JSON.parse(named.answers[1] ?? ''));
  });

  it('are the columns of the output', async () => {
    stub.reply({ body: completion(named.answers[1]) });
    const input = { operation: { extract: named.options }, source: { texts: [named.item] } };
    const { data } = await app.graphql(submitMutation, { input });
    const { id } = await untilEnded(app, data?.submitBatch.batch.id);

    const csv = await (await fetch(`${app.url}/batches/${id}/output?format=csv`)).text();

    expect(csv.split(/\r?\n/)[0]).toContain(names.join(','));
  });

  it.each([
    ['Fields:\n- a (the first)\n- b: the second\n- c\n\nBe brief.', ['a', 'b', 'c']],
    ['Please extract:\n1. a\n2. b (in EUR, as written)\n', ['a', 'b']],
    ['Fields:\n- a (text): the first\n- b (a number) - the second', ['a', 'b']],
    ['Extract: a, b (x, y) and c. Use null where nothing is said.', ['a', 'b', 'c']],
    ['Felder: firma, größe', ['firma', 'größe']],
  ])('%j', async (instructions, keys) => {
    await extract({ instructions }, Object.fromEntries(keys.map((key) => [key, null])));

    const { content } = stub.requests[0]?.body.messages[0] ?? {};
    for (const key of keys) expect(content).toContain(`- "${key}" (`);
    expect(stub.requests.length).toBe(1);
  });

  it.each([
    ['Extract what matters.'],
    ['Extract the company. Use one of these sizes as values: small, large'],
    ['Extract everything but leave out, without exception: a, b'],
    ['Extract: the name of the person, the title'],
  ])('%j has none: any object is taken', async (instructions) => {
    const { result, requests } = await extract({ instructions }, { anything: { of: ['any'] } });

    expect(result).toEqual({ data: { anything: { of: ['any'] } }, error: null });
    expect(requests).toBe(1);
  });

  it.each([['run'], ['summarize']])('hold the objects of %s, too', async (operation) => {
    const given = {
      operation,
      options: {
        instructions: 'Read it. Return JSON with the keys: mood, score',
        responseFormat: { type: 'JSON_OBJECT' },
      },
      item: 'x',
      answers: ['{"Mood": "good"}', '{"mood": "good", "score": 3}'],
    };

    const { result, requests } = await runCase(app, stub, given);

    expect(result.data).toEqual({ mood: 'good', score: 3 });
    expect(requests).toBe(2);
  });
});
