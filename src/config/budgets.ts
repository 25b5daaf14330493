/** The form of BUDGETS: owners' limits of spending in a month, by name. */
import { z } from 'zod';
import { isOwnerName } from '../core/owner-name.ts';
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

/** A sentence for each name of `variable` that is the owner of no key. */
export function strangeOwners(
  variable: string,
  names: Iterable<string>,
  owners: ReadonlySet<string>,
): readonly string[] {
  return [...names]
    .filter((name) => !owners.has(name))
    .map(
      (name) =>
        `${variable}.${isOwnerName(name) ? name : '?'} must be the owner of a key, or ${everyOther} for all others: until there is such a key it does nothing`,
    );
}
