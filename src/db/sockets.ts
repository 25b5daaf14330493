import { Socket } from 'node:net';

/** Where the driver is to connect to: the first of `host` and `port` that it has not tried, or a Unix socket. */
export interface Target {
  host: readonly string[];
  port: readonly number[];
  path?: string | false | undefined;
}

/** The sockets of a pool. The driver keeps its own to itself, and has no way to give up one that has gone silent. */
export interface Sockets {
  /** Begins a connection. The driver may write to it at once. */
  open(target: Target): Socket;
  /** Breaks every connection: statements under way reject with `reason`, and the next ones connect anew. */
  breakAll(reason: Error): void;
}

export function createSockets(): Sockets {
  const sockets = new Set<Socket>();
  let opened = 0;

  return {
    open({ host, port, path }) {
      const socket = new PoolSocket(() => sockets.delete(socket));
      sockets.add(socket);
      socket.setNoDelay(true);
      if (path) return socket.connect(path);
      const at = opened % host.length;
      opened += 1;
      // The name that the driver checks a certificate against.
      Object.assign(socket, { host: host[at], port: port[at] });
      return socket.connect({ host: host[at] ?? 'localhost', port: port[at] ?? 5432 });
    },
    breakAll(reason) {
      for (const socket of sockets) socket.destroy(reason);
    },
  };
}

/**
 * Tells of an error together with the close, in one turn. postgres.js 3.4.9 takes a statement that comes between the two
 * for its broken connection, and never settles it; whoever tries again at once would hit just that.
 */
class PoolSocket extends Socket {
  readonly #onDestroy: () => void;
  #error: Error | null = null;

  constructor(onDestroy: () => void) {
    super();
    this.#onDestroy = onDestroy;
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // Here, because the driver takes all listeners off.
    this.#onDestroy();
    this.#error = error;
    super._destroy(null, () => callback(null));
  }

  override emit(event: string | symbol, ...given: unknown[]): boolean {
    if (event !== 'close' || this.#error === null) return super.emit(event, ...given);
    const error = this.#error;
    this.#error = null;
    super.emit('error', error);
    return super.emit('close', true);
  }
}
