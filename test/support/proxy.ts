/**
 * A TCP proxy between a process and its database, which does what networks do: it swallows what it
 * is sent and keeps the connection open, delays, resets, and moves on to another port.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

interface Weather {
  /** Each piece waits so long, in milliseconds, its turn kept. */
  delayMs?: () => number;
  /** Whether this piece resets its connection instead. */
  resets?: () => boolean;
}

export interface TcpProxy {
  readonly port: number;
  /** The same database through this proxy. */
  through(databaseUrl: string): string;
  /** Where connections go from now on. */
  target(port: number): void;
  /**
   * From now on all bytes are swallowed, of connections that stand and of new ones, which are
   * accepted. No end and no reset is passed on.
   */
  swallow(): void;
  /** New connections pass again. Those that were swallowed stay silent. */
  pass(): void;
  weather(weather: Weather): void;
  close(): Promise<void>;
}

export async function startProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let swallowing = false;
  let silent = new WeakSet<Socket>();
  let to = targetPort;
  let now: Weather = {};

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    keep(client);
    if (swallowing) {
      silent.add(client);
      client.resume();
      return;
    }
    const backend = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    keep(backend);
    pipe(client, backend);
    pipe(backend, client);
  });

  function keep(socket: Socket): void {
    sockets.add(socket);
    socket.on('error', () => undefined); // its close follows
    socket.on('close', () => sockets.delete(socket));
  }

  function pipe(from: Socket, into: Socket): void {
    let turn = Promise.resolve();
    from.on('data', (piece) => {
      if (silent.has(from)) return;
      const { delayMs, resets } = now;
      if (resets?.()) {
        from.resetAndDestroy();
        into.resetAndDestroy();
        return;
      }
      if (!delayMs) {
        into.write(piece);
        return;
      }
      const waited = delay(delayMs());
      turn = turn.then(() => waited).then(() => void (into.writable && into.write(piece)));
    });
    from.on('close', () => {
      if (!silent.has(from)) void turn.then(() => into.destroy());
    });
    from.on('end', () => {
      if (!silent.has(from)) void turn.then(() => into.end());
    });
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    port,
    through(databaseUrl) {
      const url = new URL(databaseUrl);
      url.hostname = '127.0.0.1';
      url.port = String(port);
      return url.href;
    },
    target(next) {
      to = next;
    },
    swallow() {
      swallowing = true;
      silent = new WeakSet(sockets);
    },
    pass() {
      swallowing = false;
    },
    weather(next) {
      now = next;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
