/** Counts the connections to one provider that are being made. */
import type { buildConnector } from 'undici';
import type { Connecting } from './model.ts';

/** A connector that connects as `connect` does, and what it has under way. */
export function countConnecting(connect: buildConnector.connector): {
  connector: buildConnector.connector;
  connecting: Connecting;
} {
  let count = 0;
  let listeners = new Set<() => void>();

  function ended(): void {
    count -= 1;
    const told = listeners;
    listeners = new Set();
    for (const listener of told) listener();
  }

  return {
    connector(options, callback) {
      count += 1;
      try {
        connect(options, (...outcome) => {
          // The request is written in it.
          callback(...outcome);
          ended();
        });
      } catch (error) {
        ended();
        throw error;
      }
    },
    connecting: {
      get count() {
        return count;
      },
      whenFewer: (listener) => listeners.add(listener),
    },
  };
}
