/** Receivers on loopback, and batches that end. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import ipaddr from 'ipaddr.js';
import pino from 'pino';
import { newId } from '../../src/core/ids.ts';
import type { Database, Sql } from '../../src/db/driver/client.ts';
import { insertWebhooks } from '../../src/db/webhooks.ts';
import { createEvents, type Events } from '../../src/telemetry/events.ts';
import { logEvents } from '../../src/telemetry/log-events.ts';
import { createWebhooks, type Webhooks, type WebhooksOptions } from '../../src/webhooks/deliver.ts';
import { createOwnerKeys } from '../../src/webhooks/owner-keys.ts';
import { newWebhookSecret } from '../../src/webhooks/sign.ts';

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  /** Milliseconds on the monotonic clock. */
  at: number;
}

export interface Receiver {
  url: string;
  port: number;
  received: Received[];
  /** Connections accepted in all, and requests being answered now and at most at once. */
  accepted: number;
  underWay: number;
  mostUnderWay: number;
  close(): Promise<void>;
}

/**
 * An endpoint that records what it gets; `answer` may do with the response what it likes, by
 * default 200.
 */
export async function startReceiver(
  answer: (response: ServerResponse, nth: number, received: Received) => unknown = (response) =>
    response.end(),
): Promise<Receiver> {
  const server = createServer(async (request, response) => {
    receiver.underWay++;
    receiver.mostUnderWay = Math.max(receiver.mostUnderWay, receiver.underWay);
    response.on('close', () => {
      receiver.underWay--;
    });
    const received = {
      path: request.url ?? '',
      headers: request.headers,
      body: await text(request),
      at: performance.now(),
    };
    receiver.received.push(received);
    await answer(response, receiver.received.length, received);
  });
  const receiver: Receiver = {
    url: '',
    port: 0,
    received: [],
    accepted: 0,
    underWay: 0,
    mostUnderWay: 0,
    close: () => close(server),
  };
  server.on('connection', () => {
    receiver.accepted++;
  });
  receiver.port = await listen(server);
  receiver.url = `http://127.0.0.1:${receiver.port}/hook`;
  return receiver;
}

/** Counts connections and never says a word. */
export async function startCanary(
  host = '127.0.0.1',
): Promise<{ port: number; accepted: number; sockets: Set<Socket>; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    canary.accepted++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.resume(); // or it would not notice the other end go
  });
  const canary = {
    port: 0,
    accepted: 0,
    sockets,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  server.listen(0, host);
  await once(server, 'listening');
  canary.port = (server.address() as AddressInfo).port;
  return canary;
}

/** A port of loopback on which nobody listens. */
export async function closedPort(): Promise<number> {
  const canary = await startCanary();
  await canary.close();
  return canary.port;
}

/**
 * A name server on loopback that knows these addresses and no others (NXDOMAIN); with null it never
 * answers. The packets of RFC 1035, section 4: the header, the question as it came, and one record
 * an address.
 */
export async function startNameServer(
  records: Record<string, string[]> | null,
): Promise<{ address: string; close(): Promise<void> }> {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    if (records === null) return;
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += length + 1;
    }
    const question = query.subarray(12, at + 5);
    const kind = query.readUInt16BE(at + 1);
    const known = records[labels.join('.')];
    const found = (known ?? [])
      .map((address) => Buffer.from(ipaddr.parse(address).toByteArray()))
      .filter(({ length }) => length === (kind === 28 ? 16 : 4)); // AAAA, else A
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(known ? 0x8180 : 0x8183, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(found.length, 6);
    const answers = found.map((data) => {
      const record = Buffer.alloc(12);
      record.writeUInt16BE(0xc00c, 0); // the name of the question
      record.writeUInt16BE(kind, 2);
      record.writeUInt16BE(1, 4);
      record.writeUInt16BE(data.length, 10);
      return Buffer.concat([record, data]);
    });
    socket.send(Buffer.concat([header, question, ...answers]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

export const testSecret = newWebhookSecret();

export type TestWebhooksOptions = Omit<Partial<WebhooksOptions>, 'events'> & { events?: Events };

/** A deliverer that may call loopback. */
export function createTestWebhooks(db: Database, options: TestWebhooksOptions = {}): Webhooks {
  const log = options.log ?? pino({ level: 'silent' });
  const events = options.events ?? createEvents(log);
  logEvents(events, log);
  return createWebhooks({
    db,
    keysOf: createOwnerKeys(testSecret).keysOf,
    allowPrivate: true,
    log,
    events,
    // All receivers of a test are on one host.
    perHostMinute: 10_000,
    ...options,
  });
}

export interface NewBatch {
  webhookUrl: string | null;
  owner?: string;
  name?: string;
  error?: string;
}

/** A running batch of two items, both answered but not counted yet. */
export async function insertRunningBatch(
  sql: Sql,
  { webhookUrl, owner = 'local', name }: NewBatch,
): Promise<{ key: bigint; id: string }> {
  const id = newId('batch');
  const [batch] = await sql<{ key: bigint }[]>`
    with file as (
      insert into files (id, owner, listed, name, format, size_bytes, item_count, columns)
      values (${newId('file')}, ${owner}, false, 'inline', 'JSON', 2, 2, '[]') returning key
    )
    insert into batches (file_key, id, owner, operation, options, model, status, name, input_hash, expires_at, expires_in_seconds, total, webhook_url)
    select key, ${id}, ${owner}, 'LABEL', '{}', 'sandbox/rules', 'PROCESSING', ${name ?? null}, '', now() + interval '1 day', 86400, 2, ${webhookUrl}
    from file returning key`;
  return { key: batch?.key ?? 0n, id };
}

/**
 * Ends batches as the statements that end them do, outbox included. Batches that have ended already
 * stay as they are.
 */
export async function endBatches(
  sql: Sql,
  keys: readonly bigint[],
  { status = 'COMPLETED', error = null as string | null } = {},
): Promise<void> {
  await sql`
    with batch as materialized (
      select key, status from batches where key = any(${keys.map(String)}::text[]::bigint[]) for update
    ),
    counted as (
      update batches b
      set succeeded = 1, failed = 1, requests = 3, input_tokens = 50, output_tokens = 7, cost_usd = 0.00001,
          status = case when b.completed_at is null then ${status}::batch_status else b.status end,
          completed_at = coalesce(b.completed_at, now()), error = ${error},
          error_code = ${error === null ? null : 'QUOTA_EXHAUSTED'}
      from batch where b.key = batch.key
      returning b.*
    ),
    ended as (
      select c.* from counted c join batch on batch.key = c.key
      where batch.status <> c.status and c.completed_at is not null
    ),
    announced as (${insertWebhooks(sql, sql`ended`)})
    select from counted`;
}

/** A batch that has just ended, its webhook in the outbox. */
export async function endBatch(sql: Sql, batch: NewBatch): Promise<{ key: bigint; id: string }> {
  const inserted = await insertRunningBatch(sql, batch);
  await endBatches(sql, [inserted.key], { error: batch.error ?? null });
  return inserted;
}

/** As if the time until the next attempt had passed. Leases of the dead run out, too. */
export async function makeDue(sql: Sql): Promise<void> {
  await sql`update webhooks set due_at = now() - interval '1 second' where state = 'pending'`;
}
