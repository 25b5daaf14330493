import { once } from 'node:events';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { sendWebhook, type WebhookAnswer } from '../../src/webhooks/client.ts';
import { createResolveName } from '../../src/webhooks/dial.ts';
import { until } from '../support/until.ts';
import { selfSigned } from './certificate.ts';
import { closedPort, startCanary, startReceiver } from './support.ts';

const resolveName = createResolveName({ allowPrivate: true });

function send(
  url: string,
  { timeoutMs = 5_000, signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<WebhookAnswer> {
  return sendWebhook(
    { url, headers: { 'webhook-id': 'msg_1' }, body: '{"name":"東京"}' },
    { allowPrivate: true, resolveName, timeoutMs, signal },
  );
}

/** A server that writes what it likes, once it has seen the end of the request. */
async function startRaw(write: (socket: Socket) => unknown) {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    let got = '';
    socket.on('data', (data) => {
      got += data.toString();
      if (got.endsWith('}')) {
        got = '';
        write(socket);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}/hook`,
    sockets,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('an attempt', () => {
  it('is a POST of the JSON as it is, with the headers that it was given', async () => {
    const receiver = await startReceiver();

    await send(`${receiver.url}?token=a%20b#fragment`);

    const [received] = receiver.received;
    expect(received?.path).toBe('/hook?token=a%20b');
    expect(received?.body).toBe('{"name":"東京"}');
    expect(received?.headers).toMatchObject({
      host: `127.0.0.1:${receiver.port}`,
      'content-type': 'application/json',
      'content-length': '17',
      'user-agent': 'Winnow-Webhooks',
      'webhook-id': 'msg_1',
      connection: 'close',
    });
    await receiver.close();
  });

  it.each([
    [200, 'delivered', null],
    [202, 'delivered', null],
    [204, 'delivered', null],
    [301, 'failed', 'answered 301; redirects are not followed'],
    [302, 'failed', 'answered 302; redirects are not followed'],
    [304, 'failed', 'answered 304; redirects are not followed'],
    [307, 'failed', 'answered 307; redirects are not followed'],
    [400, 'failed', 'answered 400'],
    [404, 'failed', 'answered 404'],
    [410, 'gone', 'answered 410'],
    [429, 'failed', 'answered 429'],
    [500, 'failed', 'answered 500'],
    [502, 'failed', 'answered 502'],
  ])('answered with %i is %s', async (status, outcome, error) => {
    const receiver = await startReceiver((response, nth) =>
      nth === 1
        ? response.writeHead(status, { location: receiver.url, 'retry-after': '7' }).end()
        : response.end(),
    );

    const answer = await send(receiver.url);

    expect(answer).toEqual({
      outcome,
      statusCode: status,
      error,
      cause: null,
      retryAfterMs: status === 429 ? 7_000 : null,
    });
    expect(receiver.received).toHaveLength(1);
    await receiver.close();
  });

  it('is failed by a reset, a closed port, an answer that is not HTTP, and a broken TLS handshake', async () => {
    const resetting = await startRaw((socket) => socket.resetAndDestroy());
    const talking = await startRaw((socket) => socket.end('220 mail ESMTP\r\n'));
    const plain = await startReceiver();

    for (const [url, error] of [
      [resetting.url, 'the connection was closed without an answer'],
      [talking.url, 'answered with something that is not HTTP'],
      [`http://127.0.0.1:${await closedPort()}/`, 'the connection was refused'],
      [
        plain.url.replace('http:', 'https:'),
        expect.stringMatching(/^TLS: the handshake failed \(/),
      ],
    ]) {
      expect(await send(url)).toEqual({
        outcome: 'failed',
        statusCode: null,
        error,
        cause: 'connection failed',
        retryAfterMs: null,
      });
    }
    await Promise.all([resetting.close(), talking.close(), plain.close()]);
  });

  it('is failed by a certificate that nobody vouches for, which it names', async () => {
    const server = createTlsServer(selfSigned).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };

    expect((await send(`https://127.0.0.1:${port}/`)).error).toBe(
      'TLS: the certificate is signed by itself (DEPTH_ZERO_SELF_SIGNED_CERT)',
    );
    server.close();
  });

  it('ends at its limit when nothing comes, and leaves no connection behind', async () => {
    const canary = await startCanary();

    const answer = await send(`http://127.0.0.1:${canary.port}/`, { timeoutMs: 300 });

    expect(answer).toMatchObject({ error: 'timed out after 0.3 s', cause: 'timed out' });
    await until(() => canary.sockets.size === 0, {
      deadlineMs: 2_000,
      what: 'the connection to end',
    });
    await canary.close();
  });

  it('ends at its limit when headers drip byte by byte', async () => {
    const dripping = await startRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nx-long: ');
      const timer = setInterval(() => socket.write('x'), 20);
      socket.on('close', () => clearInterval(timer));
    });

    const answer = await send(dripping.url, { timeoutMs: 300 });

    expect(answer).toMatchObject({ error: 'timed out after 0.3 s', cause: 'timed out' });
    await dripping.close();
  });

  it('ends at its limit when 1xx answers never end', async () => {
    const hinting = await startRaw((socket) => {
      const timer = setInterval(() => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'), 20);
      socket.on('close', () => clearInterval(timer));
    });

    expect(await send(hinting.url, { timeoutMs: 300 })).toMatchObject({
      error: 'timed out after 0.3 s',
    });
    await hinting.close();
  });

  it('is judged by its status when the body drips, breaks off, or has a gigabyte', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let written = 0;
    const dripping = await startRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n');
      const timer = setInterval(() => socket.write('x'), 50);
      socket.on('close', () => clearInterval(timer));
    });
    const breaking = await startRaw((socket) => {
      socket.write('HTTP/1.1 500 Oh\r\ncontent-length: 1000\r\n\r\nx', () => socket.destroy());
    });
    const endless = await startRaw((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${2 ** 30}\r\n\r\n`);
      const more = () => {
        while (!socket.destroyed && written < 2 ** 30) {
          written += chunk.length;
          if (!socket.write(chunk)) return void socket.once('drain', more);
        }
      };
      more();
    });

    expect(await send(dripping.url, { timeoutMs: 300 })).toMatchObject({ outcome: 'delivered' });
    expect(await send(breaking.url)).toMatchObject({ outcome: 'failed', statusCode: 500 });
    expect(await send(endless.url)).toMatchObject({ outcome: 'delivered' });

    for (const server of [dripping, breaking, endless]) {
      await until(() => server.sockets.size === 0, { deadlineMs: 2_000, what: 'its end' });
      await server.close();
    }
    // What lies in the buffers of both ends was never read.
    expect(written).toBeLessThan(16 * 1024 * 1024);
  });

  it('aborted by its signal is neither delivered nor failed', async () => {
    const canary = await startCanary();
    const controller = new AbortController();

    const sending = send(`http://127.0.0.1:${canary.port}/`, { signal: controller.signal });
    await until(() => canary.accepted === 1, { deadlineMs: 2_000, what: 'the connection' });
    controller.abort();

    expect(await sending).toMatchObject({ outcome: 'aborted', error: null });
    expect(await send('http://127.0.0.1:1234/', { signal: controller.signal })).toMatchObject({
      outcome: 'aborted',
    });
    await canary.close();
  });
});
