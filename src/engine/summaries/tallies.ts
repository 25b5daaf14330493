/** Labels and confidences: how often each value is among the answers that succeeded. */
import { createHash } from 'node:crypto';
import { countConfidences, countLabels } from '../../db/summaries.ts';
import type { CountedAnswers } from '../../operations/operation.ts';
import type { Summary } from './summary.ts';

/** Number of times that each value is there, above 0. */
type Tally<Value> = ReadonlyMap<Value, number>;

/** By label; null counts the answers that name none. */
export type Labels = Tally<string | null>;

/** By whole thousandths, 0 to 1,000. */
export type Confidences = Tally<number>;

export function labelsOf(source: NonNullable<CountedAnswers['label']>): Summary<Labels> {
  return {
    ...tally<string | null>(),
    field: `label ${nameOf(source.member)}`,
    async count(sql, counts, stretch, sign) {
      const found = await countLabels(sql, stretch, source);
      return added(
        counts,
        found.map(({ label, count }) => [label, sign * count] as const),
      );
    },
  };
}

export const confidences: Summary<Confidences> = {
  ...tally<number>(),
  field: 'confidence',
  async count(sql, counts, stretch, sign) {
    const found = await countConfidences(sql, stretch);
    return added(
      counts,
      found.map(({ thousandth, count }) => [thousandth, sign * count] as const),
    );
  },
};

/** Names of one length, because names of members may be longer than an index takes. */
function nameOf(member: string): string {
  return createHash('sha256').update(member).digest('base64url');
}

function tally<Value>() {
  return {
    none: new Map<Value, number>() as Tally<Value>,
    // A retry takes back no answer that succeeded.
    isWhole: () => true,
    toJson: (counts: Tally<Value>) => [...counts],
    fromJson: (json: unknown): Tally<Value> => new Map(json as [Value, number][]),
  };
}

function added<Value>(
  counts: Tally<Value>,
  more: readonly (readonly [Value, number])[],
): Tally<Value> {
  const sum = new Map(counts);
  for (const [value, count] of more) {
    const total = (sum.get(value) ?? 0) + count;
    if (total === 0) sum.delete(value);
    else sum.set(value, total);
  }
  return sum;
}
