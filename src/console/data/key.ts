/**
 * The API key of this tab. It lies in sessionStorage, where GraphiQL finds it too, and goes into no
 * address, no cookie and nothing that outlasts the tab.
 */
import { createStore } from './store.ts';
import { forgetAllTyped } from './typed.ts';

const entry = 'winnow.key';

/** Null where none was given. */
export const key = createStore<string | null>(sessionStorage.getItem(entry));

/** Why a key is asked for; null while none is. */
export const keyWanted = createStore<'missing' | 'wrong' | null>(null);

export function giveKey(text: string): void {
  const given = text.trim().replace(/^Bearer\s+/i, '');
  sessionStorage.setItem(entry, given);
  keyWanted.set(null);
  key.set(given);
}

export function forgetKey(): void {
  sessionStorage.removeItem(entry);
  forgetAllTyped();
  key.set(null);
}

/** The server let the key that was sent with a request not in. */
export function refuseKey(sent: string | null): void {
  // A late answer to a key that has been replaced says nothing of the new one.
  if (sent !== key.get()) return;
  keyWanted.set(sent === null ? 'missing' : 'wrong');
}
