/** What BUDGETS may hold: what owners may spend in a month, by name. */
import { z } from 'zod';
import type { OwnerLimits } from '../db/owner-limits.ts';
import { jsonSetting } from './json-setting.ts';
import { withoutOthers } from './text.ts';

/** Stands for every other owner, and for a server without keys. */
const everyOther = '*';

const shape = { monthlyUsd: z.number().min(0).max(1_000_000_000) };
const entry = z.strictObject(shape, withoutOthers(Object.keys(shape)));

/** The value of BUDGETS. */
export const budgets = jsonSetting('{"owner": {"monthlyUsd": 50}}')
  .pipe(z.record(z.string(), entry))
  .transform((entries): OwnerLimits => {
    const limits = Object.entries(entries).map(
      ([name, { monthlyUsd }]) => [name, monthlyUsd] as const,
    );
    return {
      owners: new Map(limits.filter(([name]) => name !== everyOther)),
      others: entries[everyOther]?.monthlyUsd ?? null,
    };
  });

/** What is wrong with the names of budgets, where `owners` are those that there are. */
export function strangeOwners(
  { owners: named }: OwnerLimits,
  owners: ReadonlySet<string>,
): readonly string[] {
  const known = owners.size === 0 ? new Set(['local']) : owners;
  return [...named.keys()]
    .filter((name) => !known.has(name))
    .map(
      (name) =>
        `BUDGETS.${/^[\w.@-]{1,64}$/.test(name) ? name : '?'} must be the name of a key in API_KEYS, or ${everyOther} for all others`,
    );
}
