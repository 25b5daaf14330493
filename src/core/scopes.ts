/** Rights of a key: READ reads, SUBMIT changes and spends, ADMIN rules over keys and secrets. */
export const scopeNames = ['READ', 'SUBMIT', 'ADMIN'] as const;
export type Scope = (typeof scopeNames)[number];
