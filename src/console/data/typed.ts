/**
 * Text that was typed into a form: it lies in sessionStorage, the tab's own, so that a reload keeps
 * it. It is its owner's: with the key of another one it is not shown; without an owner it is that
 * of whose key comes next. No key is ever kept here.
 */
const prefix = 'winnow.typed.';
/** Raised when a form changes its shape: what an older console kept is then not read. */
const shape = 1;

export interface Typed<T> {
  /** Null on a server without keys. */
  owner: string | null;
  value: T;
}

/** Null where nothing is kept under the name of this form. */
export function readTyped<T>(form: string): Typed<T> | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(prefix + form) ?? 'null');
    return kept?.shape === shape ? kept : null;
  } catch {
    return null;
  }
}

export function keepTyped<T>(form: string, { owner, value }: Typed<T>): void {
  try {
    sessionStorage.setItem(prefix + form, JSON.stringify({ shape, owner, value }));
  } catch {
    // Beyond what a tab may keep, some 5 MB: an older state would be worse than none.
    forgetTyped(form);
  }
}

export function forgetTyped(form: string): void {
  sessionStorage.removeItem(prefix + form);
}

/** Forgets the text of all forms. */
export function forgetAllTyped(): void {
  for (const entry of Object.keys(sessionStorage)) {
    if (entry.startsWith(prefix)) sessionStorage.removeItem(entry);
  }
}
