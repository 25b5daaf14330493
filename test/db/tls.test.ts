/** A database behind TLS whose certificate nobody has signed. */
import { connect, createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { copySql, openCopy } from '../../src/db/driver/copy.ts';
import { dumpDatabase } from '../../src/db/dump/write-dump.ts';
import { readMigrationState } from '../../src/db/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { selfSigned } from '../webhooks/certificate.ts';

let database: TestDatabase;
const sockets = new Set<Socket>();
const server = createServer((socket) => {
  sockets.add(socket);
  socket.on('error', () => undefined);
  // The question whether TLS is spoken here.
  socket.once('data', () => {
    socket.write('S');
    const secure = new TLSSocket(socket, { isServer: true, ...selfSigned });
    const { hostname, port } = new URL(database.url);
    const behind = connect(Number(port), hostname);
    for (const one of [secure, behind]) one.on('error', () => undefined);
    secure.pipe(behind).pipe(secure);
  });
});
beforeAll(async () => {
  database = await createTestDatabase();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await database.drop();
});

function urlWith(sslmode: string): string {
  const url = new URL(`${database.url}?sslmode=${sslmode}`);
  const address = server.address();
  url.hostname = '127.0.0.1';
  url.port = typeof address === 'object' ? String(address?.port) : '';
  return url.href;
}

async function copyOut(url: string): Promise<number> {
  const copy = openCopy(url);
  try {
    let bytes = 0;
    for await (const piece of copy.out(copySql`select 1`)) bytes += piece.length;
    return bytes;
  } finally {
    await copy.close();
  }
}

async function dump(url: string): Promise<string> {
  let text = '';
  for await (const piece of dumpDatabase(url, { name: 'test', onTable: () => undefined }))
    text += piece;
  return text;
}

it('sslmode=require asks for no certificate: of a start, a COPY and a dump', async () => {
  const url = urlWith('require');

  expect((await readMigrationState(url)).missing).toEqual([]);
  expect(await copyOut(url)).toBeGreaterThan(0);
  expect(await dump(url)).toMatch(/commit;\n$/);
});

it('sslmode=verify-full refuses it', async () => {
  const url = urlWith('verify-full');

  await expect(readMigrationState(url)).rejects.toThrow();
  await expect(copyOut(url)).rejects.toThrow();
  await expect(dump(url)).rejects.toThrow();
});
