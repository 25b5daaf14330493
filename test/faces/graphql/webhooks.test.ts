/**
 * Webhooks as their owner sees them: what is sent, what is told of it, and how often it may be
 * asked for.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../src/db/driver/client.ts';
import { loadDeliveries } from '../../../src/faces/graphql/batch.ts';
import type { Context } from '../../../src/faces/graphql/context.ts';
import { createRounds } from '../../../src/faces/graphql/rounds.ts';
import { type App, startApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';
import { closedPort, type Receiver, startReceiver } from '../../webhooks/support.ts';
import { type Data, submitTexts, untilEnded } from './support.ts';

let app: App;
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  app = await startApp({ WEBHOOK_ALLOW_PRIVATE: 'true' });
});
afterAll(async () => {
  await app.stop();
  await receiver.close();
});

async function bodyOf(id: string): Promise<Data> {
  const found = () =>
    receiver.received
      .map(({ body }) => JSON.parse(body) as Data)
      .find(({ data }) => data.id === id);
  await until(() => found() !== undefined, { deadlineMs: 10_000, what: `the webhook of ${id}` });
  return found() ?? {};
}

async function end(input: Record<string, unknown> = {}): Promise<string> {
  const id = await submitTexts(app, ['one'], { webhookUrl: receiver.url, ...input });
  await untilEnded(app, id);
  return id;
}

describe('the payload', () => {
  it('has the metadata of the batch', async () => {
    const metadata = { tenant: 'Größe "東京"', tags: ['a', { b: null }], n: 1.5 };

    const { data } = await bodyOf(await end({ metadata }));

    expect(data.metadata).toEqual(metadata);
    expect(data).not.toHaveProperty('metadata_omitted');
    expect((await bodyOf(await end())).data.metadata).toBeNull();
  });

  it('says where the metadata is too long for it', async () => {
    const { data } = await bodyOf(await end({ metadata: { text: 'x'.repeat(20_000) } }));

    expect(data).toMatchObject({ metadata: null, metadata_omitted: true });
    expect(JSON.stringify(data).length).toBeLessThan(20_000);
  });
});

describe('the address', () => {
  it('has its host as it is called, whatever was given, and the rest as it was given', async () => {
    const { port } = new URL(receiver.url);
    const given = {
      webhookUrl: `http://@%31%32%37.0.0.1:0${port}/a?b=%61`,
      idempotencyKey: 'spelt otherwise',
    };
    const id = await end(given);
    const again = await submitTexts(app, ['one'], given);
    const { data } = await app.graphql(`{ batch(id: "${id}") { webhookUrl } }`);

    expect(data?.batch.webhookUrl).toBe(`http://127.0.0.1:${port}/a?b=%61`);
    expect(again).toBe(id);
    await bodyOf(id);
  });
});

describe('webhookDeliveries', () => {
  it('say why an address that may be called gave no answer', async () => {
    const webhookUrl = `http://127.0.0.1:${await closedPort()}/`;
    const id = await end({ webhookUrl });

    const deliveries = await until<Data[] | null>(
      async () => {
        const query = 'query ($id: ID!) { batch(id: $id) { webhookDeliveries { error } } }';
        const { data } = await app.graphql(query, { id });
        const made: Data[] = data?.batch.webhookDeliveries;
        return made.length > 0 ? made : null;
      },
      { deadlineMs: 10_000, what: 'an attempt' },
    );

    expect(deliveries?.[0]?.error).toBe('the connection was refused');
  });

  it('of a page of batches are each batch’s own', async () => {
    const ids = [await end({ name: 'first' }), await end({ name: 'second' })];
    for (const id of ids) await bodyOf(id);
    const query = `{ batches(first: 2) { edges { node { id file { id } webhookDeliveries { messageId statusCode } } } } }`;
    const page = await until<Data[] | null>(
      async () => {
        const { data } = await app.graphql(query);
        const nodes: Data[] = data?.batches.edges.map(({ node }: Data) => node);
        return nodes.every(({ webhookDeliveries }) => webhookDeliveries.length === 1)
          ? nodes
          : null;
      },
      { deadlineMs: 10_000, what: 'both deliveries' },
    );

    expect(page?.map(({ id }) => id)).toEqual([ids[1], ids[0]]);
    expect(page?.map(({ file }) => file)).toEqual([null, null]);
    const messages = page?.map(({ webhookDeliveries }) => webhookDeliveries[0].messageId);
    expect(new Set(messages).size).toBe(2);
  });

  it('are read by one statement for a page', async () => {
    const db = openDatabase(app.databaseUrl);
    let statements = 0;
    const sql = new Proxy(db.sql, {
      apply(target, self, given) {
        if (Array.isArray(given[0])) statements += 1;
        return Reflect.apply(target, self, given);
      },
    });
    const context = { db: { ...db, sql } } as Context;

    await Promise.all([1n, 2n, 3n].map((key) => loadDeliveries(key, context)));

    expect(statements).toBe(1);
    await db.close();
  });

  it('are read once for each request and key', async () => {
    const reads: bigint[][] = [];
    const read = createRounds(async (keys) => {
      reads.push([...keys]);
      return new Map(keys.map((key) => [key, String(key)]));
    });
    const [one, other] = [{}, {}] as Context[];
    if (!one || !other) throw new Error('two requests');

    const found = await Promise.all([read(1n, one), read(2n, one), read(1n, one), read(3n, other)]);

    expect(found).toEqual(['1', '2', '1', '3']);
    expect(reads).toEqual([[1n, 2n], [3n]]);
    expect(await read(4n, one)).toBe('4');
  });
});

describe('redeliverWebhook', () => {
  const redeliver = (id: string, aliases = 1) =>
    app.graphql(
      `mutation ($id: ID!) { ${Array.from({ length: aliases }, (_, n) => `a${n}: redeliverWebhook(batchId: $id) { id }`).join(' ')} }`,
      { id },
    );
  const sentOf = (id: string) =>
    receiver.received.filter(({ body }) => (JSON.parse(body) as Data).data.id === id).length;

  it('sends once a minute for a batch, and says when it will again', async () => {
    const id = await end();
    await bodyOf(id);

    const { errors = [] } = await redeliver(id, 20);

    // The first of them was done.
    expect(new Set(errors.map(({ extensions }) => extensions.code))).toEqual(new Set(['CONFLICT']));
    const [, at = ''] = / before (\S+),/.exec(errors[0]?.message ?? '') ?? [];
    expect(Date.parse(at)).toBeGreaterThan(Date.now());
    expect(Date.parse(at)).toBeLessThan(Date.now() + 61_000);
    await until(() => sentOf(id) === 2, { deadlineMs: 10_000, what: 'the message' });
    const again = await Promise.all([redeliver(id), redeliver(id)]);
    expect(again.map((answer) => answer.errors?.[0]?.extensions.code)).toEqual([
      'CONFLICT',
      'CONFLICT',
    ]);
    expect(sentOf(id)).toBe(2);
  });

  it('sends once where several ask at the same instant', async () => {
    const id = await end();
    await bodyOf(id);

    const answers = await Promise.all(Array.from({ length: 8 }, () => redeliver(id)));

    expect(answers.filter(({ errors }) => !errors)).toHaveLength(1);
    await until(() => sentOf(id) === 2, { deadlineMs: 10_000, what: 'the message' });
  });

  it('sends again after a minute, and for other batches at once', async () => {
    const [id, other] = [await end(), await end()];
    await redeliver(id);
    const db = openDatabase(app.databaseUrl);
    await db.sql`update webhooks set created_at = created_at - interval '61 seconds'`;
    await db.sql`update batches set completed_at = completed_at - interval '61 seconds'`;
    await db.close();

    expect((await redeliver(id)).errors).toBeUndefined();
    expect((await redeliver(other)).errors).toBeUndefined();
  });

  it('leaves a batch without a webhook as it is, however often it is asked', async () => {
    const id = await end({ webhookUrl: null });

    expect((await redeliver(id, 3)).errors).toBeUndefined();
  });
});
