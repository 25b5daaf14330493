/**
 * The hash of an input, under which its idempotency key is known: a submit that is repeated over an
 * upgrade must have the hash that it had before. Never change a hash here. A new field that is
 * absent, null or its default is left out of what is hashed.
 */
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { App } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import { submitMutation } from './support.ts';

let app: App;
let sql: postgres.Sql;
beforeAll(async () => {
  ({ app } = await startStubApp());
  sql = postgres(app.databaseUrl, { max: 1 });
});
afterAll(async () => {
  await sql.end();
  await app.stop();
});

const fileId = 'file_0000000000000000000000000';

it.each([
  [
    'label over texts',
    {
      operation: { label: { categories: ['a', 'b'] } },
      source: { texts: ['A', 'B'] },
      idempotencyKey: 'label',
    },
    '1af65121405614d4640d63ba96506790c6cecfaeeba5a1ee10611ca99b28584a',
  ],
  [
    'extract over items, with all that a batch may be given',
    {
      operation: { extract: { schema: { x: 'string' }, temperature: 0, extraBody: { seed: 1 } } },
      source: { items: [{ content: 'A', customId: 'one', metadata: { tier: 'gold' } }] },
      execution: 'PROVIDER_BATCH',
      rescue: true,
      name: 'extracts',
      metadata: { of: 'today' },
      expiresInSeconds: 3_600,
      customIdPrefix: 'mine-',
      idempotencyKey: 'extract',
    },
    '0d67db84d1359754447b6e55a417cdb90327210fd8403471a742485e9106e099',
  ],
  [
    'enrich over a file',
    {
      operation: { enrich: { fields: [{ name: 'x' }] } },
      source: { fileId },
      contentField: 'text',
      customIdField: 'id',
      idempotencyKey: 'enrich',
    },
    '676b073151452cdae60d1ca48532c89d4e49d1f3bc0a1a492cc8b9d3c1c85e0b',
  ],
  [
    'chat over requests',
    {
      operation: { chat: {} },
      source: { requests: [{ messages: [{ role: 'user', content: 'A' }] }] },
      idempotencyKey: 'chat',
    },
    '3e5049fd51964c33bd88358d4f6f55c1151657144980aca2523eb3d51dc24f23',
  ],
])('%s hashes as it ever did', async (_what, input, hash) => {
  await storeFile();
  const { data, errors } = await app.graphql(submitMutation, {
    input: { ...input, autoStart: false },
  });
  expect(errors).toBeUndefined();

  const [stored] = await sql<{ input_hash: string }[]>`
    select input_hash from batches where id = ${data?.submitBatch.batch.id}`;
  expect(stored?.input_hash).toBe(hash);
});

/** A file with an id that is the same in each run. */
async function storeFile(): Promise<void> {
  const body = 'id,text\n1,A\n';
  const response = await fetch(`${app.url}/files?name=a.csv&contentField=text`, {
    method: 'POST',
    body,
  });
  if (!response.ok) throw new Error(await response.text());
  const { id } = (await response.json()) as { id: string };
  await sql`update files set id = ${fileId} where id = ${id} and not exists (select from files where id = ${fileId})`;
}
