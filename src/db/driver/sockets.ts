import { Socket } from 'node:net';

/** Where to connect: the first `host` and `port` that was not tried, or a Unix socket. */
export interface Target {
  host: readonly string[];
  port: readonly number[];
  path?: string | false | undefined;
}

/** The sockets of a pool, to give up silent ones: the driver has no way to do so. */
export interface Sockets {
  /** Begins a connection. The driver may write to it at once. */
  open(target: Target): Socket;
  /**
   * Breaks every connection: statements under way reject with `reason`. Once it resolves, the next
   * ones connect again; one that comes before may reject too.
   */
  breakAll(reason: Error): Promise<void>;
  /** Number of those that are open, or about to be. */
  count(): number;
}

/** `onEnd` hears of each connection that ends. */
export function createSockets(onEnd: () => void = () => undefined): Sockets {
  const sockets = new Set<PoolSocket>();
  let opened = 0;

  return {
    count: () => sockets.size,
    open({ host, port, path }) {
      const socket = new PoolSocket(() => {
        sockets.delete(socket);
        onEnd();
      });
      sockets.add(socket);
      socket.setNoDelay(true);
      if (path) return socket.connect(path);
      const at = opened % host.length;
      opened += 1;
      // The name that the driver checks a certificate against.
      Object.assign(socket, { host: host[at], port: port[at] });
      return socket.connect({ host: host[at] ?? 'localhost', port: port[at] ?? 5432 });
    },
    async breakAll(reason) {
      await Promise.all([...sockets].map((socket) => socket.destroy(reason).gone));
    },
  };
}

/**
 * Tells of an error together with the close, in one turn. postgres.js 3.4.9 takes a statement that
 * comes between the two for its broken connection, and never settles it; a caller that tries again
 * at once would hit just that.
 */
class PoolSocket extends Socket {
  readonly #onDestroy: () => void;
  /** Resolves once the driver knows that it closed. A listener of ours would be taken off by it. */
  readonly gone: Promise<void>;
  #tellGone: () => void = () => undefined;
  #error: Error | null = null;

  constructor(onDestroy: () => void) {
    super();
    this.#onDestroy = onDestroy;
    this.gone = new Promise((resolve) => {
      this.#tellGone = resolve;
    });
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // Here, because the driver takes all listeners off.
    this.#onDestroy();
    this.#error = error;
    super._destroy(null, () => callback(null));
  }

  override emit(event: string | symbol, ...given: unknown[]): boolean {
    if (event !== 'close') return super.emit(event, ...given);
    const error = this.#error;
    this.#error = null;
    if (error !== null) super.emit('error', error);
    const heard = super.emit('close', error !== null || given[0]);
    this.#tellGone();
    return heard;
  }
}
