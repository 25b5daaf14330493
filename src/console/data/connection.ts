/** The state of the connection to the server, as the one WebSocket of the page knows it. */
import { createStore } from './store.ts';

export type Connection =
  | { state: 'connecting' }
  | { state: 'live' }
  /** `since`: milliseconds since 1970. */
  | { state: 'offline'; since: number };

export const connection = createStore<Connection>({ state: 'connecting' });

/** Counts how often the server came back: then the screen is read again. */
export const returns = createStore(0);

export function noteOpened(): void {
  if (connection.get().state === 'offline') returns.set(returns.get() + 1);
  connection.set({ state: 'live' });
}

export function noteClosed(): void {
  if (connection.get().state === 'offline') return;
  connection.set({ state: 'offline', since: Date.now() });
}
