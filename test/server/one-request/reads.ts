/** Reads that keep the database busy: see one-request-harness.ts for what must hold beside them. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { completion } from '../../support/stub-provider.ts';
import { until } from '../../support/until.ts';
import { busyRetries, startVictim, type Target, type Victim } from './harness.ts';

const items = 1_000_000;
const slowCalls = 600;

describe('reads that keep the database busy', { retry: busyRetries }, () => {
  let victim: Victim;
  /** A file of a million rows of the attacker's, and a draft over it. */
  let file: string;
  let large: string;

  beforeAll(async () => {
    victim = await startVictim({ withKeys: true });
    await victim.prepare(async (target) => {
      file = await upload(target, 'a.txt', 'text\n');
      const { submitBatch } = await ask(
        target.url,
        target.headers,
        `mutation { submitBatch(input: {operation: {label: {categories: ["praise", "complaint"]}},
         source: {fileId: "${file}"}, autoStart: false}) { batch { id counts { total } } } }`,
      );
      expect(submitBatch.batch.counts.total).toBe(items);
      large = submitBatch.batch.id;
    });
  }, 120_000);
  afterAll(() => victim.stop());

  /** A file of a million times the same row. */
  async function upload({ url, headers, signal }: Target, query: string, row: string) {
    const response = await fetch(`${url}/files?name=${query}`, {
      method: 'POST',
      headers,
      body: row.repeat(items),
      signal,
    });
    const { id } = (await response.json()) as { id: string };
    expect(id).toMatch(/^file_/);
    return id;
  }

  async function ask(
    url: string,
    headers: Record<string, string>,
    query: string,
  ): Promise<Record<string, any>> {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query }),
    });
    const { data, errors } = (await response.json()) as { data: any; errors?: unknown };
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  }

  /** As many counts of a million items as one request may ask for. */
  const counts = (aliases: number) =>
    `{ batch(id: "${large}") { ${Array.from(
      { length: aliases },
      (_, number) =>
        `c${number}: items(status: [PENDING, PROCESSING, SUCCEEDED], first: 1) { totalCount }`,
    ).join(' ')} } }`;

  test('145 counts of a million items are refused by their cost', async () => {
    const report = await victim.attack(async (target) => {
      const { text } = await target.post({ query: counts(145) });
      expect(text).toContain('the query must cost');
    });

    expect(report.breaches).toEqual([]);
  });

  test('a filter over a million results', async () => {
    const line = JSON.stringify({
      custom_id: 'r',
      response: { body: { choices: [{ message: { content: '{}' } }] } },
    });
    const results = await victim.prepare((target) =>
      upload(target, 'a.jsonl&format=OPENAI_RESULTS', `${line}\n`),
    );

    const report = await victim.attack(async ({ post }) => {
      const { text } = await post({
        query: `{ parseResults(fileId: "${results}", status: [EXPIRED]) { edges { cursor } } }`,
      });
      expect(JSON.parse(text).data.parseResults).toEqual({ edges: [] });
    });

    expect(report.breaches).toEqual([]);
  });

  test('ten submits of a file of a million rows share the rows of one', async () => {
    const mine = randomUUID();

    const report = await victim.attack(async (target) => {
      const submits = Array.from(
        { length: 10 },
        (_, number) => `s${number}: submitBatch(input: {name: "${mine}", autoStart: false,
          operation: {label: {categories: ["praise", "complaint"]}},
          source: {fileId: "${file}"}}) { batch { id } }`,
      );
      const { text } = await target.post({ query: `mutation { ${submits.join(' ')} }` });
      expect(JSON.parse(text).errors[0].extensions.code).toBe('PAYLOAD_TOO_LARGE');
      const named = '{ batches(first: 100) { edges { node { name } } } }';
      const { batches } = await ask(target.url, target.headers, named);
      expect(batches.edges.filter((edge: any) => edge.node.name === mine)).toHaveLength(1);
    });

    expect(report.breaches).toEqual([]);
  });

  test('a request for all the counts that it may have leaves others their turn, and the batch of another owner its calls', async () => {
    const { provider } = victim;
    const before = provider.requests.length;
    provider.reply({
      delayMs: 400,
      body: completion('{"label": "praise"}'),
    });
    let slow = '';
    let headers: Record<string, string> = {};

    const report = await victim.attack(async (target) => {
      const texts = JSON.stringify(
        Array.from({ length: slowCalls }, (_, index) => `text ${index}`),
      );
      const { submitBatch } = await ask(
        target.url,
        target.neighbour,
        `mutation { submitBatch(input: {operation: {label: {categories: ["praise", "complaint"]}},
         source: {texts: ${texts}}}) { batch { id } } }`,
      );
      slow = submitBatch.batch.id;
      headers = target.neighbour;
      await target.post({ query: counts(12) });
    });
    const { url } = victim.process;
    const ended = await until(
      async () => {
        const seen = await ask(
          url,
          headers,
          `{ batch(id: "${slow}") { status resentRequests counts { succeeded } } }`,
        );
        return seen.batch.status === 'COMPLETED' ? seen : null;
      },
      { deadlineMs: 20_000, what: 'the batch of the other owner has ended' },
    );

    expect(report.breaches).toEqual([]);
    expect(ended?.batch).toMatchObject({ resentRequests: 0, counts: { succeeded: slowCalls } });
    expect(provider.requests.length - before).toBe(slowCalls);
  });
});
