import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openDatabase } from '../../src/db/driver/client.ts';
import { claimWebhooks, recordAttempt, releaseWebhooks } from '../../src/db/webhook-claims.ts';
import {
  type DeliveryRecord,
  deleteWebhooks,
  insertRedelivery,
  listDeliveries,
} from '../../src/db/webhooks.ts';
import { createEvents, type Events } from '../../src/telemetry/events.ts';
import { maxPerHostMinute, type Webhooks } from '../../src/webhooks/deliver.ts';
import { createOwnerKeys } from '../../src/webhooks/owner-keys.ts';
import { nextAttemptInMs, webhookSchedule } from '../../src/webhooks/schedule.ts';
import { newWebhookSecret } from '../../src/webhooks/sign.ts';
import { openTestDatabase } from '../support/database.ts';
import { createTrail, type Trail } from '../support/trail.ts';
import { until } from '../support/until.ts';
import {
  closedPort,
  createTestWebhooks,
  endBatch,
  endBatches,
  insertRunningBatch,
  makeDue,
  startCanary,
  startReceiver,
  type TestWebhooksOptions,
  testSecret,
} from './support.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const limits = { firsts: 10, retries: 10, perHost: 4, perHostMinute: 60 };

const { db, url } = await openTestDatabase();
let events: Events;
let trail: Trail;
const running: { stop(graceMs?: number): Promise<void> }[] = [];
const open: { close(): Promise<unknown> }[] = [];

beforeEach(async () => {
  events = createEvents({ error: () => undefined });
  trail = createTrail(events);
  await db.sql`truncate webhooks, webhook_attempts, deleted_attempts`;
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((webhooks) => webhooks.stop(0)));
  await Promise.all(open.splice(0).map((server) => server.close()));
});

function start(options: TestWebhooksOptions = {}): Webhooks {
  const webhooks = createTestWebhooks(db, { events, ...options });
  running.push(webhooks);
  webhooks.start();
  return webhooks;
}

/** Waits for the last attempt of a webhook. */
async function abandoned(): Promise<void> {
  await trail.first('webhook.failed', { where: ({ retryInMs }) => retryInMs === null });
}

/** Waits until so many webhooks are delivered. */
async function delivered(webhooks: number): Promise<void> {
  let count = 0;
  await trail.first('webhook.delivered', { where: () => ++count === webhooks });
}

async function receive(...answer: Parameters<typeof startReceiver>) {
  const receiver = await startReceiver(...answer);
  open.push(receiver);
  return receiver;
}

async function hang() {
  const canary = await startCanary();
  open.push(canary);
  return canary;
}

async function deliveriesOf(batchKey: bigint): Promise<DeliveryRecord[]> {
  const deliveries = await listDeliveries(db.sql, [batchKey]);
  return deliveries.map(({ batchKey: _, ...delivery }) => delivery);
}

/** Waits until so many attempts stand in the log of a batch, and returns them. */
async function logged(batchKey: bigint, attempts: number): Promise<DeliveryRecord[]> {
  let deliveries: DeliveryRecord[] = [];
  await until(
    async () => {
      deliveries = await deliveriesOf(batchKey);
      return deliveries.length >= attempts;
    },
    { deadlineMs: 8_000, what: `${attempts} attempts` },
  );
  return deliveries;
}

async function states(): Promise<Record<string, number>> {
  const rows = await db.sql<{ state: string; webhooks: number }[]>`
    select state, count(*)::int as webhooks from webhooks group by state`;
  return Object.fromEntries(rows.map(({ state, webhooks }) => [state, webhooks]));
}

describe('a fault of Winnow’s own', () => {
  it('is an attempt that failed, called what it is, and is not made again for ever', async () => {
    const { port } = await receive();
    const { key } = await endBatch(db.sql, { webhookUrl: `http://localhost:${port}/hook` });

    start({ schedule: [0, 0], resolveName: async () => null as never });

    const ours = {
      error: 'Winnow failed because of a bug. The server log has the details.',
      statusCode: null,
    };
    expect(await logged(key, 2)).toMatchObject([ours, ours]);
    await abandoned();
    expect(await states()).toEqual({ abandoned: 1 });
  });
});

describe('the outbox', () => {
  it('has a row from the same commit as the end of a batch, and none when that is rolled back', async () => {
    const batch = await insertRunningBatch(db.sql, { webhookUrl: 'https://example.com/hook' });

    const failed = endBatches(db.sql, [batch.key], { status: 'NONSENSE' });
    await expect(failed).rejects.toThrow();
    expect(await states()).toEqual({});

    await endBatches(db.sql, [batch.key]);
    expect(await states()).toEqual({ pending: 1 });
  });

  it('has one row an end, however many statements touch the batch at once and afterwards', async () => {
    const batch = await insertRunningBatch(db.sql, { webhookUrl: 'https://example.com/hook' });

    await Promise.all(Array.from({ length: 20 }, () => endBatches(db.sql, [batch.key])));

    expect(await states()).toEqual({ pending: 1 });
  });

  it('has no row for a batch without a webhook, or a deleted one', async () => {
    const silent = await insertRunningBatch(db.sql, { webhookUrl: null });
    const deleted = await insertRunningBatch(db.sql, { webhookUrl: 'https://example.com/' });
    await db.sql`update batches set deleted_at = now() where key = ${deleted.key}`;

    await endBatches(db.sql, [silent.key, deleted.key]);

    expect(await states()).toEqual({});
  });

  it('counts an owner’s URLs of one host as one endpoint, others apart', async () => {
    const urls = [
      'https://Example.com/a',
      'https://example.com?b',
      'https://example.com.:443/c',
      'https://example.com:8443/a',
    ];
    for (const webhookUrl of urls) await endBatch(db.sql, { webhookUrl });
    await endBatch(db.sql, { webhookUrl: urls[0] ?? null, owner: 'other' });

    const rows = await db.sql`select distinct endpoint from webhooks order by endpoint`;
    expect(rows.map(({ endpoint }) => endpoint)).toEqual([
      'local example.com',
      'local example.com:8443',
      'other example.com',
    ]);
  });

  it('says how the batch ended, in snake case, under 20 kB whatever people wrote', async () => {
    const wide = '\u0001'.repeat(5_000);
    const batch = await endBatch(db.sql, {
      webhookUrl: 'https://example.com/',
      name: `Größe "東京"\n${wide}`,
      error: wide,
    });

    const [row] = await db.sql<{ id: string; body: string }[]>`select id, body from webhooks`;
    const body = JSON.parse(row?.body ?? '');
    expect(row?.id).toMatch(/^msg_[0-9a-f]{32}$/);
    expect(Buffer.byteLength(row?.body ?? '')).toBeLessThan(20_000);
    expect(body).toEqual({
      type: 'batch.completed',
      timestamp: body.data.completed_at,
      data: {
        owner: 'local',
        id: batch.id,
        operation: 'label',
        status: 'completed',
        name: `Größe "東京"\n${wide}`.slice(0, 500),
        metadata: null,
        model: 'sandbox/rules',
        counts: { total: 2, pending: 0, succeeded: 1, failed: 1, cancelled: 0, expired: 0 },
        usage: {
          requests: 3,
          input_tokens: 50,
          cached_input_tokens: 0,
          cache_write_tokens: 0,
          output_tokens: 7,
          reasoning_tokens: 0,
          unmetered_requests: 0,
          cost_usd: 0.00001,
        },
        error: wide.slice(0, 1_000),
        error_code: 'QUOTA_EXHAUSTED',
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        completed_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        output_path: `/batches/${batch.id}/output`,
      },
    });
  });

  it.each(['COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED'])(
    'names a batch that is %s',
    async (status) => {
      const batch = await insertRunningBatch(db.sql, { webhookUrl: 'https://example.com/' });

      await endBatches(db.sql, [batch.key], { status });

      const [row] = await db.sql<{ body: string }[]>`select body from webhooks`;
      expect(JSON.parse(row?.body ?? '').type).toBe(`batch.${status.toLowerCase()}`);
    },
  );
});

describe('delivery', () => {
  it('sends what the standardwebhooks package verifies', async () => {
    const receiver = await receive();
    const batch = await endBatch(db.sql, { webhookUrl: receiver.url, name: 'Größe 東京 🗼' });
    start();

    const [delivery] = await logged(batch.key, 1);

    const [received] = receiver.received;
    const verified = new Webhook(testSecret).verify(
      received?.body ?? '',
      received?.headers as Record<string, string>,
    );
    expect(verified).toMatchObject({ type: 'batch.completed', data: { name: 'Größe 東京 🗼' } });
    expect(delivery).toEqual({
      id: `${received?.headers['webhook-id']}.1`,
      messageId: received?.headers['webhook-id'],
      attempt: 1,
      at: expect.any(Date),
      statusCode: 200,
      error: null,
      nextAttemptAt: null,
    });
    expect(await states()).toEqual({ delivered: 1 });
  });

  it('after 500 three times and then 200 made 4 attempts under one id, as scheduled', async () => {
    const receiver = await receive((response, nth) => {
      response.writeHead(nth <= 3 ? 500 : 200).end();
    });
    const batch = await endBatch(db.sql, { webhookUrl: receiver.url });
    const webhooks = start();

    for (let attempt = 1; attempt <= 4; attempt++) {
      await logged(batch.key, attempt);
      await makeDue(db.sql);
      webhooks.nudge();
    }

    const deliveries = await logged(batch.key, 4);
    expect(deliveries.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    expect(deliveries.map(({ statusCode }) => statusCode)).toEqual([500, 500, 500, 200]);
    expect(deliveries.map(({ error }) => error)).toEqual([...Array(3).fill('answered 500'), null]);
    expect(new Set(deliveries.map(({ messageId }) => messageId)).size).toBe(1);
    expect(new Set(deliveries.map(({ id }) => id)).size).toBe(4);
    for (const [index, scheduled] of [5 * second, 5 * minute, 30 * minute].entries()) {
      const { at, nextAttemptAt } = deliveries[index] ?? {};
      const delay = (nextAttemptAt?.getTime() ?? 0) - (at?.getTime() ?? 0);
      expect(delay).toBeGreaterThanOrEqual(scheduled * 0.9 - 5);
      expect(delay).toBeLessThanOrEqual(scheduled * 1.1 + second); // and the attempt itself
    }
    expect(deliveries[3]?.nextAttemptAt).toBeNull();
    const times = deliveries.map(({ at }) => at.getTime());
    expect(times).toEqual([...times].sort((a, b) => a - b));

    expect(receiver.received).toHaveLength(4);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
    for (const { body, headers } of receiver.received) {
      new Webhook(testSecret).verify(body, headers as Record<string, string>);
    }
    expect(await states()).toEqual({ delivered: 1 });
  });

  it('goes by the clock: retries come when they are due, without a nudge', async () => {
    const receiver = await receive((response, nth) => {
      response.writeHead(nth <= 3 ? 503 : 200).end();
    });
    const batch = await endBatch(db.sql, { webhookUrl: receiver.url });
    // The poll never comes round, so the timers did it.
    vi.useFakeTimers({ toFake: ['setInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    start({ schedule: [0, 50, 100, 150], random: () => 0.5 });

    await logged(batch.key, 4);

    const at = receiver.received.map((received) => received.at);
    const gaps = at.slice(1).map((time, index) => time - (at[index] ?? 0));
    expect(gaps.length).toBe(3);
    for (const [index, least] of [50, 100, 150].entries()) {
      expect(gaps[index]).toBeGreaterThanOrEqual(least - 10);
    }
  });

  it('is abandoned after the last attempt of the schedule', async () => {
    const receiver = await receive((response) => response.writeHead(500).end());
    const batch = await endBatch(db.sql, { webhookUrl: receiver.url });
    start({ schedule: [0, 10, 10] });

    const deliveries = await logged(batch.key, 3);
    await abandoned();

    expect(deliveries).toHaveLength(3);
    expect(deliveries[2]?.nextAttemptAt).toBeNull();
    expect(receiver.received).toHaveLength(3);
  });

  it('is abandoned at once by 410', async () => {
    const receiver = await receive((response) => response.writeHead(410).end());
    const batch = await endBatch(db.sql, { webhookUrl: receiver.url });
    start();

    const [delivery] = await logged(batch.key, 1);

    expect(delivery).toMatchObject({ statusCode: 410, error: 'answered 410', nextAttemptAt: null });
    expect(await states()).toEqual({ abandoned: 1 });
  });

  it('keeps off as long as a 429 asks for, where that is longer than the schedule', async () => {
    const receiver = await receive((response) =>
      response.writeHead(429, { 'retry-after': '3600' }).end(),
    );
    const batch = await endBatch(db.sql, { webhookUrl: receiver.url });
    start();

    const [delivery] = await logged(batch.key, 1);

    const delay = (delivery?.nextAttemptAt?.getTime() ?? 0) - (delivery?.at.getTime() ?? 0);
    expect(delay).toBeGreaterThanOrEqual(hour);
    expect(delay).toBeLessThan(hour + 2 * second);
  });

  it('shows the tenant why a target that may be called failed, and no more of one that may not', async () => {
    const closed = await closedPort();
    const refused = await endBatch(db.sql, { webhookUrl: `http://127.0.0.1:${closed}/` });
    start();
    const [failed] = await logged(refused.key, 1);
    await running.pop()?.stop(0);

    const blocked = await endBatch(db.sql, { webhookUrl: 'https://127.0.0.1:4444/' });
    start({ allowPrivate: false });
    const [denied] = await logged(blocked.key, 1);

    expect(failed?.error).toBe('the connection was refused');
    expect(denied?.error).toBe('the name has no public address');
    expect(denied?.statusCode).toBeNull();
  });

  it('of a batch that ends again is another message', async () => {
    const receiver = await receive();
    const batch = await endBatch(db.sql, { webhookUrl: receiver.url });
    const webhooks = start();
    await logged(batch.key, 1);

    await db.sql`update batches set status = 'PROCESSING', completed_at = null, succeeded = 0, failed = 0`;
    await endBatches(db.sql, [batch.key]);
    webhooks.nudge();

    const deliveries = await logged(batch.key, 2);
    expect(deliveries.map(({ attempt }) => attempt)).toEqual([1, 1]);
    expect(new Set(deliveries.map(({ messageId }) => messageId)).size).toBe(2);
  });

  it('is made again on demand, under a new id, for the owner of an ended batch alone', async () => {
    const receiver = await receive();
    const batch = await endBatch(db.sql, { webhookUrl: receiver.url });
    const webhooks = start();
    await logged(batch.key, 1);
    const unfinished = await insertRunningBatch(db.sql, { webhookUrl: receiver.url });
    const silent = await endBatch(db.sql, { webhookUrl: null });

    const again = await insertRedelivery(db.sql, 'local', batch.id);
    webhooks.nudge();

    expect(again).toEqual({ batchKey: batch.key, queued: true });
    expect(await insertRedelivery(db.sql, 'another', batch.id)).toBeNull();
    expect(await insertRedelivery(db.sql, 'local', 'batch_none')).toBeNull();
    expect(await insertRedelivery(db.sql, 'local', unfinished.id)).toMatchObject({ queued: false });
    expect(await insertRedelivery(db.sql, 'local', silent.id)).toMatchObject({ queued: false });
    await logged(batch.key, 2);
    const [first, second] = receiver.received;
    expect(receiver.received).toHaveLength(2);
    expect(second?.headers['webhook-id']).not.toBe(first?.headers['webhook-id']);
    expect(second?.body).toBe(first?.body);
  });

  it('leaves nothing behind when the batch is deleted, not even of an attempt under way', async () => {
    const hanging = await hang();
    const batch = await endBatch(db.sql, { webhookUrl: `http://127.0.0.1:${hanging.port}/` });
    start({ timeoutMs: 300 });
    await until(() => hanging.accepted === 1, { deadlineMs: 3_000, what: 'the attempt' });

    await deleteWebhooks(db.sql, batch.key);
    await running[0]?.stop();

    expect(await states()).toEqual({});
    expect((await db.sql`select from webhook_attempts`).count).toBe(0);
  });
});

describe('secrets', () => {
  it('that are none keep the service from starting', () => {
    expect(() => createOwnerKeys('whsec_short')).toThrow('webhook secret');
  });

  it('are all signed with while one is being replaced', async () => {
    const old = newWebhookSecret();
    const receiver = await receive();
    const batch = await endBatch(db.sql, { webhookUrl: receiver.url });
    start({ keysOf: createOwnerKeys(`${old} ${testSecret}`).keysOf });
    await logged(batch.key, 1);

    const [received] = receiver.received;
    for (const secret of [old, testSecret]) {
      new Webhook(secret).verify(received?.body ?? '', received?.headers as Record<string, string>);
    }
  });
});

describe('at least once', () => {
  it('a process that dies between claim and record leaves a webhook that is sent again, same id, same bytes', async () => {
    const receiver = await receive();
    const batch = await endBatch(db.sql, { webhookUrl: receiver.url });
    const [claimed] = await claimWebhooks(db.sql, limits); // and sent, perhaps; then it died

    const webhooks = start();
    expect(await claimWebhooks(db.sql, limits)).toEqual([]); // for as long as the lease runs
    await makeDue(db.sql);
    webhooks.nudge();
    await logged(batch.key, 1);

    const [received] = receiver.received;
    expect(received?.headers['webhook-id']).toBe(claimed?.id);
    expect(received?.body).toBe(claimed?.body);
  });

  it('who lost the lease records nothing over the one who has it', async () => {
    const batch = await endBatch(db.sql, { webhookUrl: 'http://127.0.0.1:4444/' });
    const [stale] = await claimWebhooks(db.sql, limits);
    await makeDue(db.sql);
    const [fresh] = await claimWebhooks(db.sql, limits);
    const attempt = { tookMs: 5, delivered: false, statusCode: 500, error: 'answered 500' };

    if (!stale || !fresh) throw new Error('both claim it');
    const late = await recordAttempt(db.sql, { ...stale, ...attempt, retryInMs: 10 });
    await releaseWebhooks(db, [stale]);
    expect(late).toBe(false);
    expect(await claimWebhooks(db.sql, limits)).toEqual([]);

    const recorded = { ...fresh, ...attempt, delivered: true, statusCode: 200, error: null };
    expect(await recordAttempt(db.sql, { ...recorded, retryInMs: null })).toBe(true);
    expect(await recordAttempt(db.sql, { ...recorded, retryInMs: null })).toBe(false);
    expect(await deliveriesOf(batch.key)).toHaveLength(1);
    expect(await states()).toEqual({ delivered: 1 });
  });

  it('two processes never send one webhook at the same time, and each once when nobody dies', async () => {
    const receiver = await receive(async (response) => {
      setTimeout(() => response.end(), 5);
    });
    const others = [openDatabase(url), openDatabase(url)];
    const keys: bigint[] = [];
    for (let owner = 0; owner < 40; owner++) {
      for (let nth = 0; nth < 5; nth++) {
        const url = `${receiver.url}/${owner}/${nth}`;
        const batch = await insertRunningBatch(db.sql, { webhookUrl: url, owner: `owner${owner}` });
        keys.push(batch.key);
      }
    }
    await endBatches(db.sql, keys);

    for (const other of others) {
      const webhooks = createTestWebhooks(other, { events });
      running.push(webhooks);
      webhooks.start();
    }
    await delivered(200);

    expect(receiver.received).toHaveLength(200);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(200);
    await Promise.all(running.splice(0).map((webhooks) => webhooks.stop()));
    await Promise.all(others.map((other) => other.close()));
  });

  it('concurrent claims share no webhook', async () => {
    for (let nth = 0; nth < 30; nth++) {
      await endBatch(db.sql, { webhookUrl: `http://127.0.0.1:${20_000 + nth}/` });
    }

    // Connects them all.
    await Promise.all(Array.from({ length: 10 }, () => db.sql`select pg_sleep(0.1)`));

    for (let round = 0; round < 20; round++) {
      const claims = await Promise.all(
        Array.from({ length: 8 }, () => claimWebhooks(db.sql, { ...limits, firsts: 30 })),
      );

      const ids = claims.flat().map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      await makeDue(db.sql);
    }
  });
});

describe('fairness', () => {
  it('200 endpoints that hang and one host with 200 more do not hold up a live one', async () => {
    const [wide, narrow] = [await hang(), await hang()];
    const live = await receive();
    const keys: bigint[] = [];
    for (let nth = 0; nth < 200; nth++) {
      for (const host of [`dead${nth}.test:${wide.port}`, `dead.test:${narrow.port}`]) {
        const batch = await insertRunningBatch(db.sql, { webhookUrl: `http://${host}/${nth}` });
        keys.push(batch.key);
      }
    }
    await endBatches(db.sql, keys);
    const webhooks = start({
      resolveName: async () => [{ address: '127.0.0.1', family: 4 }],
      timeoutMs: hour, // the dead keep their places to the end
    });
    await until(() => wide.accepted >= 100, {
      deadlineMs: 8_000,
      what: 'the dead to be under way',
    });

    for (let nth = 0; nth < 20; nth++) {
      const batch = await endBatch(db.sql, { webhookUrl: live.url });
      webhooks.nudge();
      await logged(batch.key, 1);
    }

    expect(live.received).toHaveLength(20);
    expect(wide.accepted).toBe(200);
    expect(narrow.accepted).toBe(4);
  });

  it('never more than 4 at once to one host of all owners, and all in the end', async () => {
    const receiver = await receive((response) => {
      setTimeout(() => response.end(), 10);
    });
    const keys: bigint[] = [];
    for (let nth = 0; nth < 50; nth++) {
      const batch = { webhookUrl: `${receiver.url}/${nth}`, owner: `owner-${nth % 3}` };
      keys.push((await insertRunningBatch(db.sql, batch)).key);
    }
    await endBatches(db.sql, keys);
    start();

    await delivered(50);

    expect(receiver.mostUnderWay).toBeGreaterThan(1);
    expect(receiver.mostUnderWay).toBeLessThanOrEqual(4);
  });

  it('60 attempts begin at one host in a minute, of all owners, retries included', async () => {
    const receiver = await receive((response, nth) => {
      response.statusCode = nth % 2 === 0 ? 200 : 500;
      response.end();
    });
    const other = await receive();
    const keys: bigint[] = [];
    for (let nth = 0; nth < 80; nth++) {
      const batch = { webhookUrl: `${receiver.url}/${nth}`, owner: `owner-${nth % 2}` };
      keys.push((await insertRunningBatch(db.sql, batch)).key);
    }
    await endBatches(db.sql, keys);
    const webhooks = start({ schedule: [0, 0, 0, 0, 0, 0], perHostMinute: maxPerHostMinute });
    const attempts = async () => {
      const [row] = await db.sql<{ count: number }[]>`
        select count(*)::int as count from webhook_attempts`;
      return row?.count ?? 0;
    };
    await until(async () => (await attempts()) >= 60, { deadlineMs: 8_000, what: '60 attempts' });

    const { key } = await endBatch(db.sql, { webhookUrl: other.url });
    webhooks.nudge();
    await logged(key, 1);

    expect(receiver.received).toHaveLength(60);
    expect(await claimWebhooks(db.sql, limits)).toEqual([]);
    await db.sql`update webhook_attempts set at = at - interval '1 minute'`;
    webhooks.nudge();
    await until(() => receiver.received.length >= 120, { deadlineMs: 8_000, what: '60 more' });
    expect(receiver.received).toHaveLength(120);
  });

  /** Ends a batch with a webhook, and has it claimed; null where a limit is in the way. */
  async function claimOne(owner = 'local') {
    const { key: batchKey } = await endBatch(db.sql, { webhookUrl: 'https://example.com/', owner });
    const [claimed = null] = await claimWebhooks(db.sql, limits);
    return claimed && { batchKey, ...claimed };
  }
  const answered = { tookMs: 0, delivered: true, statusCode: 200, error: null, retryInMs: null };

  it('an attempt counts for its minute when its batch is deleted, and then for nothing', async () => {
    for (let nth = 0; nth < 60; nth++) {
      const claimed = await claimOne();
      if (!claimed) throw new Error(`attempt ${nth} must be claimed`);
      // Some are still under way when their batch is deleted.
      if (nth % 2 === 0) await recordAttempt(db.sql, { ...claimed, ...answered });
      await deleteWebhooks(db.sql, claimed.batchKey);
      if (nth % 2 === 1) await recordAttempt(db.sql, { ...claimed, ...answered });
    }

    const over = await claimOne('other');
    await db.sql`update deleted_attempts set at = at - interval '1 minute'`;
    const later = await claimWebhooks(db.sql, { ...limits, perHost: 10 });

    expect(over).toBeNull();
    expect(later).toHaveLength(1);
    expect((await db.sql`select from deleted_attempts`).count).toBe(0);
  });

  it('an attempt under way counts as one when its batch is deleted, until it is over', async () => {
    const underWay = [];
    for (let nth = 0; nth < 4; nth++) {
      const claimed = await claimOne();
      if (!claimed) throw new Error(`attempt ${nth} must be claimed`);
      await deleteWebhooks(db.sql, claimed.batchKey);
      underWay.push(claimed);
    }

    const fifth = await claimOne();
    const [first] = underWay;
    if (first) await recordAttempt(db.sql, { ...first, ...answered });
    const claimed = await claimWebhooks(db.sql, limits);

    expect(fifth).toBeNull();
    expect(claimed).toHaveLength(1);
  });

  it('an owner that deletes its batches takes turns with another all the same', async () => {
    for (let nth = 0; nth < 3; nth++) {
      const claimed = await claimOne('deletes');
      if (claimed) await deleteWebhooks(db.sql, claimed.batchKey);
    }
    await endBatch(db.sql, { webhookUrl: 'https://example.com/', owner: 'deletes' });
    await endBatch(db.sql, { webhookUrl: 'https://example.com/', owner: 'waits' });

    const claimed = await claimWebhooks(db.sql, limits);

    expect(claimed.map(({ owner }) => owner)).toEqual(['waits']);
  });

  it.each(['https://EXAMPLE.com:443/a', 'https://example.com./b', 'https://example.com.:443/c'])(
    '%s counts for example.com',
    async (webhookUrl) => {
      await endBatch(db.sql, { webhookUrl });
      const [webhook] = await db.sql<{ endpoint: string }[]>`select endpoint from webhooks`;

      expect(webhook?.endpoint).toBe('local example.com');
    },
  );

  it('the dot of a full name before a port changes nothing either', async () => {
    await endBatch(db.sql, { webhookUrl: 'https://example.com.:8443/' });
    const [webhook] = await db.sql<{ endpoint: string }[]>`select endpoint from webhooks`;

    expect(webhook?.endpoint).toBe('local example.com:8443');
  });

  it('owners of one host take turns, whatever waits for each', async () => {
    for (let nth = 0; nth < 30; nth++) {
      await endBatch(db.sql, { webhookUrl: `https://example.com/${nth}`, owner: 'many' });
    }
    await db.sql`update webhooks set due_at = now() - interval '1 hour'`;
    await endBatch(db.sql, { webhookUrl: 'https://example.com/', owner: 'one' });
    await endBatch(db.sql, { webhookUrl: 'https://example.com/', owner: 'one' });
    const owners: string[] = [];
    for (let claim = 0; claim < 6; claim++) {
      const [webhook] = await claimWebhooks(db.sql, { ...limits, perHost: 1 });
      if (!webhook) throw new Error('one is due');
      owners.push(webhook.owner);
      const { key, lease } = webhook;
      const attempt = { tookMs: 0, delivered: true, statusCode: 200, error: null, retryInMs: null };
      await recordAttempt(db.sql, { key, lease, ...attempt });
    }

    expect(owners).toEqual(['many', 'one', 'many', 'one', 'many', 'many']);
  });

  it('retries leave the places of first attempts alone', async () => {
    for (let nth = 0; nth < 20; nth++) {
      await endBatch(db.sql, { webhookUrl: `http://127.0.0.1:${20_000 + nth}/` });
    }
    await db.sql`update webhooks set attempts = 1, due_at = now() - interval '1 hour'
                 where endpoint < 'local 127.0.0.1:20015'`;

    const claimed = await claimWebhooks(db.sql, { ...limits, firsts: 3, retries: 4 });

    expect(claimed.filter(({ attempts }) => attempts === 0)).toHaveLength(3);
    expect(claimed.filter(({ attempts }) => attempts === 1)).toHaveLength(4);
  });

  it('a claim reads little beside 100,000 webhooks of one dead endpoint', async () => {
    await db.sql`
      insert into webhooks (batch_key, id, url, endpoint, body, due_at)
      select n, 'msg_' || n, 'http://127.0.0.1:1/', 'local 127.0.0.1:1', '{}', now() - interval '1 hour'
      from generate_series(1, 100000) n`;
    await db.sql`
      insert into webhook_attempts (webhook_key, attempt, at, status_code, endpoint)
      select n, 1, now() - interval '1 hour', 200, 'local 127.0.0.1:1' from generate_series(1, 100000) n`;
    await db.sql`analyze webhooks, webhook_attempts`;
    await endBatch(db.sql, { webhookUrl: 'http://127.0.0.1:2/' });

    const first = await claimWebhooks(db.sql, limits);
    const one = openDatabase(url, { maxConnections: 1 });
    await one.sql`begin`;
    await claimWebhooks(one.sql, limits);
    const [read] = await one.sql<{ rows: number }[]>`
      select sum(seq_tup_read + idx_tup_fetch)::int as rows
      from pg_stat_xact_user_tables where relname in ('webhooks', 'webhook_attempts')`;
    await one.close();

    expect(first.map(({ url }) => url).filter((url) => url.endsWith(':2/'))).toHaveLength(1);
    expect(first).toHaveLength(5);
    expect(read?.rows).toBeLessThan(1_000);
  });
});

describe('stop', () => {
  it('lets an attempt under way finish, records it, and begins no other', async () => {
    const held: (() => void)[] = [];
    const receiver = await receive((response) => {
      held.push(() => response.end());
    });
    const batch = await endBatch(db.sql, { webhookUrl: receiver.url });
    const webhooks = start();
    await until(() => held.length === 1, { deadlineMs: 3_000, what: 'the attempt' });

    const stopping = webhooks.stop();
    const after = await endBatch(db.sql, { webhookUrl: receiver.url });
    webhooks.nudge();
    held[0]?.();
    await stopping;

    expect(await deliveriesOf(batch.key)).toMatchObject([{ statusCode: 200 }]);
    expect(await deliveriesOf(after.key)).toEqual([]);
    expect(receiver.received).toHaveLength(1);
  });

  it('gives back what does not finish in time, to be sent at once by another, under the same id', async () => {
    let answering = false;
    const receiver = await receive((response) => {
      if (answering) response.end();
    });
    const batch = await endBatch(db.sql, { webhookUrl: receiver.url });
    const webhooks = start();
    await until(() => receiver.received.length === 1, { deadlineMs: 3_000, what: 'the attempt' });

    const patient = webhooks.stop();
    await webhooks.stop(20);
    await patient;
    expect(await deliveriesOf(batch.key)).toEqual([]);
    answering = true;
    start();

    const [delivery] = await logged(batch.key, 1);
    expect(delivery).toMatchObject({ attempt: 1, statusCode: 200 });
    const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
    expect(ids).toEqual([delivery?.messageId, delivery?.messageId]);
  });
});

describe('the schedule', () => {
  it('is the published one, with a tenth more or less', () => {
    const options = { schedule: webhookSchedule, retryAfterMs: null };
    const steps = [
      5 * second,
      5 * minute,
      30 * minute,
      ...[2, 5, 10, 14, 20, 24].map((h) => h * hour),
    ];

    for (const [index, step] of steps.entries()) {
      expect(nextAttemptInMs(index + 1, { ...options, random: () => 0 })).toBe(step * 0.9);
      expect(nextAttemptInMs(index + 1, { ...options, random: () => 0.5 })).toBe(step);
      expect(
        nextAttemptInMs(index + 1, { ...options, random: () => 0.999999 }),
      ).toBeLessThanOrEqual(step * 1.1);
    }
    expect(nextAttemptInMs(10, { ...options, random: () => 0 })).toBeNull();
    expect(nextAttemptInMs(10, { ...options, retryAfterMs: 5, random: () => 0 })).toBeNull();
  });

  it('yields to a longer Retry-After, never to a shorter one', () => {
    const options = { schedule: webhookSchedule, random: () => 0.5 };

    expect(nextAttemptInMs(1, { ...options, retryAfterMs: minute })).toBe(minute);
    expect(nextAttemptInMs(1, { ...options, retryAfterMs: 0 })).toBe(5 * second);
  });
});
