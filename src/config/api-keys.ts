/** The form of API_KEYS: keys that the environment alone gives and takes away. */
import { z } from 'zod';
import { isOwnerName } from '../core/owner-name.ts';
import type { Scope } from '../core/scopes.ts';

/** A key of the environment. */
export interface OwnKey {
  owner: string;
  scopes: readonly Scope[];
}

const minKeyLength = 24;
const entryForm = /^([^:]+):([A-Za-z0-9_~.-]+)(:admin)?$/;

/** The value of API_KEYS: what each key stands for. */
export const apiKeys = z
  .string()
  .default('')
  .transform((text, context) => {
    const keys = new Map<string, OwnKey>();
    const entries = text.split(',').map((part) => part.trim());
    for (const [at, entry] of entries.entries()) {
      if (entry === '') continue;
      const [, owner = '', key = '', admin] = entryForm.exec(entry) ?? [];
      const complain = (message: string) =>
        context.addIssue({ code: 'custom', message: `entry ${at + 1} ${message}` });
      if (!isOwnerName(owner) || key.length < minKeyLength) {
        complain(
          `must be owner:key with a key of ${minKeyLength} or more URL-safe characters, or owner:key:admin`,
        );
      } else if (keys.has(key)) complain('repeats a key');
      else
        keys.set(key, { owner, scopes: admin ? ['READ', 'SUBMIT', 'ADMIN'] : ['READ', 'SUBMIT'] });
    }
    return keys as ReadonlyMap<string, OwnKey>;
  });
