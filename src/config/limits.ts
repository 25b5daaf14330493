/** The form of LIMITS: limits of owners, by name. */
import { z } from 'zod';
import type { Limits, LimitsByOwner } from '../core/limits.ts';
import { jsonSetting } from './json-setting.ts';
import { wholeNumber, withoutOthers } from './text.ts';

/** Stands for every other owner, and for a server without keys. */
const everyOther = '*';

const count = (max: number, min = 0) => z.int(wholeNumber).min(min).max(max).optional();

const shape = {
  activeBatches: count(1_000_000),
  itemsPerDay: count(1_000_000_000_000),
  storageBytes: count(1_000_000_000_000_000),
  requestsPerMinute: count(1_000_000_000, 1),
  modelCalls: count(10_000, 1),
  models: z
    .array(
      z
        .string()
        .max(300)
        .regex(/^[^*\s]+\*?$|^\*$/, 'must be provider/name, or a beginning with * at its end'),
    )
    .max(1_000)
    .optional(),
};
const entry = z.strictObject(shape, withoutOthers(Object.keys(shape)));

const none: Limits = {
  activeBatches: null,
  itemsPerDay: null,
  storageBytes: null,
  requestsPerMinute: null,
  modelCalls: null,
  models: null,
};

/** The value of LIMITS. An owner's own entry replaces single values of the one for all others. */
export const limits = jsonSetting('{"owner": {"activeBatches": 20}}')
  .pipe(z.record(z.string(), entry))
  .transform((entries): LimitsByOwner => {
    const { [everyOther]: shared, ...own } = entries;
    const merged = Object.entries(own).map(
      ([name, given]) => [name, { ...none, ...shared, ...given } as Limits] as const,
    );
    return { owners: new Map(merged), others: shared ? ({ ...none, ...shared } as Limits) : null };
  });
