/** Templates, schemas and answers that multiply: one request of them stops nobody. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { submitMutation } from '../../faces/graphql/support.ts';
import { completion } from '../../support/stub-provider.ts';
import { until } from '../../support/until.ts';
import { busyRetries, type Report, startVictim, type Target, type Victim } from './harness.ts';

describe('what multiplies', { retry: busyRetries }, () => {
  let victim: Victim;
  beforeAll(async () => {
    victim = await startVictim({ withKeys: true });
  });
  afterAll(() => victim.stop());

  const answers: { status: number; text: string }[] = [];

  /** One POST as the attack; its answer is in `answers`. */
  async function attackBy(query: string, variables: unknown): Promise<Report> {
    answers.length = 0;
    const body = JSON.stringify({ query, variables });
    return await victim.attack(async ({ post }) => answers.push(await post(body)));
  }

  const list = <T>(length: number, one: (index: number) => T): T[] =>
    Array.from({ length }, (_, index) => one(index));
  const named = (length: number, schema: unknown) =>
    Object.fromEntries(list(length, (n) => [`p${n}`, schema]));

  const extract = `mutation($schema: JSONObject) {
  extract(items: [{content: "x"}], options: {schema: $schema}) { results { data error { code message } } }
}`;
  const run = `mutation($items: [ItemInput!]!, $template: String) {
  run(items: $items, options: {userPromptTemplate: $template}) { results { text error { code message } } }
}`;

  /** A batch over these texts, watched to its end. */
  async function attackByBatch(template: string, texts: readonly string[]) {
    let counts: unknown = null;
    const report = await victim.attack(async ({ post }) => {
      const input = { operation: { run: { userPromptTemplate: template } }, source: { texts } };
      const submitted = await post({ query: submitMutation, variables: { input } });
      const { id } = JSON.parse(submitted.text).data.submitBatch.batch;
      const query = `{ batch(id: "${id}") { status counts { succeeded failed } } }`;
      await until(
        async () => {
          const { batch } = JSON.parse((await post({ query })).text).data;
          counts = batch.counts;
          return batch.status === 'COMPLETED';
        },
        { deadlineMs: 15_000, what: 'the end of the batch' },
      );
    });
    return { report, counts };
  }

  describe('templates', () => {
    it('a batch of three prompts of 450 MB fails these items, and no process', async () => {
      const texts = list(3, () => 'x'.repeat(9_000));

      const { report, counts } = await attackByBatch('{content}'.repeat(50_000), texts);

      expect(report.breaches).toEqual([]);
      expect(counts).toEqual({ succeeded: 0, failed: 3 });
    });

    it.each([
      ['a prompt of 450 MB', 50_000, 9_000],
      ['a prompt longer than any string', 110_000, 10_000],
    ])('%s', async (_what, times, length) => {
      const variables = {
        items: [{ content: 'x'.repeat(length) }],
        template: '{content}'.repeat(times),
      };

      const report = await attackBy(run, variables);

      expect(report.breaches).toEqual([]);
      expect(answers[0]?.text).toContain('CONTEXT_TOO_LONG');
    });
  });

  describe('prompts of many million characters', () => {
    const template = '{content}'.repeat(990);
    const texts = (count: number) => list(count, () => 'x'.repeat(8_000));
    let sent = 0;
    beforeAll(() => {
      // They are not kept by the provider either.
      victim.provider.reply(() => {
        victim.provider.requests.length = 0;
        sent += 1;
        return { body: completion('ok') };
      });
    });

    it('50 of nearly 8 million at once are refused, and none is sent', async () => {
      const items = texts(50).map((content) => ({ content }));
      sent = 0;

      const report = await attackBy(run, { items, template });

      expect(report.breaches).toEqual([]);
      expect(answers[0]?.text).toContain('"code":"PAYLOAD_TOO_LARGE"');
      expect(sent).toBe(0);
    });

    it('two of nearly 8 million, which is all that is sent at once', async () => {
      const items = texts(2).map((content) => ({ content }));

      const report = await attackBy(run, { items, template });

      expect(report.breaches).toEqual([]);
      expect(answers[0]?.text.match(/"text":"ok"/g)).toHaveLength(2);
    });

    it('50 of 111,000 placeholders each', async () => {
      const items = list(50, () => ({ content: 'x' }));

      const report = await attackBy(run, { items, template: '{content}'.repeat(111_000) });

      expect(report.breaches).toEqual([]);
      expect(answers[0]?.text.match(/"text":"ok"/g)).toHaveLength(50);
    });

    it('a batch of 1,500 of just under 100,000, of which any number goes at once', async () => {
      const { report, counts } = await attackByBatch(
        '{content}'.repeat(999),
        list(1_500, () => 'x'.repeat(100)),
      );

      expect(report.breaches).toEqual([]);
      expect(counts).toEqual({ succeeded: 1_500, failed: 0 });
    });

    it('a batch of 150 texts of just under 100,000, all that one body holds', async () => {
      const { report, counts } = await attackByBatch(
        '{content}',
        list(150, () => 'x'.repeat(99_000)),
      );

      expect(report.breaches).toEqual([]);
      expect(counts).toEqual({ succeeded: 150, failed: 0 });
    });

    it('a batch of 20 of nearly 8 million', async () => {
      const { report, counts } = await attackByBatch(template, texts(20));

      expect(report.breaches).toEqual([]);
      expect(counts).toEqual({ succeeded: 20, failed: 0 });
    });
  });

  describe('schemas', () => {
    const references = (count: number, properties: number) => ({
      type: 'object',
      properties: named(count, { $ref: '#/$defs/d' }),
      $defs: { d: { type: 'object', properties: named(properties, { type: 'string' }) } },
    });
    it('300 references to 300 properties are few enough', async () => {
      const report = await attackBy(extract, { schema: references(300, 300) });

      expect(report.breaches).toEqual([]);
      expect(answers[0]?.text).toContain('"data":{"extract"');
    });

    it.each([
      ['1,500 references to 800 properties', references(1_500, 800), 'references'],
      [
        '30,000 branches',
        { type: 'object', properties: { a: { anyOf: list(30_000, () => ({})) } } },
        'branches',
      ],
      [
        '15,000 values',
        { type: 'object', properties: { a: { enum: list(15_000, (n) => n) } } },
        'values',
      ],
      [
        '2,000 patterns',
        { type: 'object', properties: named(2_000, { type: 'string', pattern: '^a' }) },
        'patterns',
      ],
    ])('%s are too many', async (_what, schema, parts) => {
      const report = await attackBy(extract, { schema });

      expect(report.breaches).toEqual([]);
      expect(answers[0]?.text).toContain('"code":"BAD_USER_INPUT"');
      expect(answers[0]?.text).toContain(parts);
    });
  });

  describe('many schemas', () => {
    const large = (title: string) => ({
      type: 'object',
      title,
      properties: named(2_900, { type: 'string' }),
    });
    const variables = (count: number) =>
      Object.fromEntries(list(count, (n) => [`s${n}`, large(String(n))]));
    const names = (count: number) => list(count, (n) => `$s${n}: JSONObject`).join(', ');
    const parses = (count: number) =>
      `query(${names(count)}) { ${list(count, (n) => `a${n}: parseResults(fileId: "x", responseSchema: $s${n}) { edges { cursor } }`).join(' ')} }`;
    const extracts = (count: number) =>
      `mutation(${names(count)}) { ${list(count, (n) => `a${n}: extract(items: [{content: "x"}], options: {schema: $s${n}, model: "none/none"}) { model }`).join(' ')} }`;

    it.each([
      ['80 schemas of 74 kB in 80 lists of results', parses(80)],
      ['80 schemas of 74 kB in 80 operations', extracts(80)],
    ])('%s cost too much', async (_what, query) => {
      const report = await attackBy(query, variables(80));

      expect(report.breaches).toEqual([]);
      expect(answers[0]?.text).toContain('the query must cost');
    });

    it.each([
      ['six of them in lists of results', parses(6)],
      ['six of them in operations', extracts(6)],
    ])('%s do not', async (_what, query) => {
      const report = await attackBy(query, variables(6));

      expect(report.breaches).toEqual([]);
      expect(answers[0]?.text).not.toContain('the query must cost');
    });
  });

  describe('answers', () => {
    it.each([
      ['100,000 strings against 1,000 values', 100_000, 1_000],
      ['400,000 strings against 2,000 values', 400_000, 2_000],
    ])('%s', async (_what, strings, values) => {
      victim.provider.reply({
        body: completion(JSON.stringify({ a: list(strings, () => 'x') })),
      });
      const schema = {
        type: 'object',
        properties: { a: { type: 'array', items: { enum: list(values, (n) => `v${n}`) } } },
      };

      const report = await attackBy(extract, { schema });

      expect(report.breaches).toEqual([]);
    });
  });

  describe('results that are parsed', () => {
    async function upload(target: Target, contents: readonly unknown[]): Promise<string> {
      const lines = contents.map((content, n) =>
        JSON.stringify({
          custom_id: `r${n}`,
          response: { status_code: 200, body: completion(JSON.stringify(content)) },
          error: null,
        }),
      );
      const form = new FormData();
      form.set('format', 'OPENAI_RESULTS');
      form.set('file', new Blob([lines.join('\n')]), 'results.jsonl');
      const headers = target.headers;
      const answer = await fetch(`${target.url}/files`, { method: 'POST', headers, body: form });
      return ((await answer.json()) as { id: string }).id;
    }

    async function parse(contents: readonly unknown[], schema: object, aliases: number) {
      let text = '';
      const report = await victim.attack(async (target) => {
        const id = await upload(target, contents);
        // Each alias has a schema of its own.
        const fields = list(
          aliases,
          (n) => `a${n}: parseResults(fileId: "${id}", responseSchema: $s${n}) {
          edges { node { status error { message } } } }`,
        );
        const names = list(aliases, (n) => `$s${n}: JSONObject`).join(', ');
        const variables = Object.fromEntries(
          list(aliases, (n) => [`s${n}`, { ...schema, title: String(n) }]),
        );
        const answer = await target.post({
          query: `query(${names}) { ${fields.join(' ')} }`,
          variables,
        });
        text = answer.text;
      });
      return { report, text };
    }

    it('against a pattern that takes for ever, in 40 aliases', async () => {
      const schema = {
        type: 'object',
        properties: { a: { type: 'string', pattern: '^(a+)+$' } },
      };
      const contents = list(5, () => ({ a: `${'a'.repeat(40)}!` }));

      const { report, text } = await parse(contents, schema, 40);

      expect(report.breaches).toEqual([]);
      expect(text).toContain('takes too long to check');
      expect(text).not.toContain('SUCCEEDED');
    });

    it('400,000 strings against 2,000 values', async () => {
      const schema = {
        type: 'object',
        properties: { a: { type: 'array', items: { enum: list(2_000, (n) => `v${n}`) } } },
      };

      const { report, text } = await parse([{ a: list(400_000, () => 'x') }], schema, 1);

      expect(report.breaches).toEqual([]);
      expect(text).toContain('"status":"FAILED"');
    });
  });
});
