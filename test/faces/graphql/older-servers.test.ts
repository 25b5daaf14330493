/**
 * What servers of before options were added have stored, and what is sent to them and to us: it
 * means the same as ever.
 */
import { createHash } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Sending, startSending } from './sent.ts';
import { type Data, submitMutation, untilEnded } from './support.ts';

let sending: Sending;
let sql: postgres.Sql;
beforeAll(async () => {
  sending = await startSending();
  sql = postgres(sending.app.databaseUrl, { max: 1 });
});
afterAll(async () => {
  await sql.end();
  await sending.close();
});

const submit = async (input: Data): Promise<string> => {
  const { data, errors } = await sending.app.graphql(submitMutation, { input });
  if (errors) throw new Error(JSON.stringify(errors));
  return data?.submitBatch.batch.id;
};

it.each([
  [
    'label',
    { categories: ['a', 'b'] },
    '"options":{"categories":["a","b"],"multiLabel":false},"rescue":false',
  ],
  [
    'enrich',
    { fields: [{ name: 'x' }] },
    '"options":{"fields":[{"name":"x","type":"TEXT"}],"includeContext":false},"rescue":false',
  ],
  ['extract', { schema: { x: 'string' } }, '"options":{"schema":{"x":"string"}},"rescue":false'],
  ['run', { instructions: 'Do.' }, '"options":{"instructions":"Do."},"rescue":false'],
])(
  'an idempotency key that an older server took for %s is known here',
  async (operation, options, older) => {
    const idempotencyKey = `key-${operation}`;
    const input = {
      operation: { [operation]: options },
      source: { texts: ['A'] },
      autoStart: false,
      idempotencyKey,
    };
    const id = await submit(input);
    const hashed = `{"autoStart":false,"contentField":null,"customIdField":null,"customIdPrefix":null,"execution":"LIVE","expiresInSeconds":null,"idempotencyKey":"${idempotencyKey}","metadata":null,"model":"stub/base","name":null,"operation":"${operation}",${older},"source":{"items":[{"content":"A","customId":"0","metadata":null,"request":null}]},"webhookUrl":null}`;
    await sql`update batches set input_hash = ${createHash('sha256').update(hashed).digest('hex')} where id = ${id}`;

    expect(await submit(input)).toBe(id);
    await expect(
      submit({ ...input, operation: { [operation]: { ...options, includeContext: true } } }),
    ).rejects.toThrow('IDEMPOTENCY_CONFLICT');
  },
);

it('options that an older server stored are read, what they lack is absent', async () => {
  sending.answer({ label: 'a', confidence: 1 });
  const id = await submit({
    operation: { label: { categories: ['a', 'b'] } },
    source: { items: [{ content: 'A', metadata: { tier: 'gold' } }] },
    autoStart: false,
  });
  const stored = {
    categories: ['a', 'b'],
    multiLabel: false,
    userPromptTemplate: '{content} {tier}',
    examples: [{ content: 'B', labels: ['b'] }],
  };
  await sql`update batches set options = ${JSON.stringify(stored)} where id = ${id}`;

  await sending.app.graphql('mutation ($id: ID!) { startBatch(id: $id) { batch { id } } }', { id });
  const { counts } = await untilEnded(sending.app, id);

  expect(counts).toMatchObject({ succeeded: 1 });
  expect(
    sending
      .bodies()[0]
      ?.messages.slice(1)
      .map(({ content }: Data) => content),
  ).toEqual(['B', '{"label":"b"}', 'A gold']);
});
