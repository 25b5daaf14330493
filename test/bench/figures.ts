/** Figures of repeated runs: middles, because one run in five meets a checkpoint or a neighbour. */
import { startFlags } from '../support/start-flags.ts';

/** Every side of a comparison runs under a Node with these. */
export const nodeArguments: readonly string[] = [...startFlags, '--import', 'tsx'];

export const median = (values: readonly number[]) => percentile(values, 0.5);

/** The value that `share` (0 to 1) of the values lie below; 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

export function rounded(value: number, digits = 0): number {
  return Number(value.toFixed(digits));
}

/**
 * The middle of the ratios of runs that were made one after the other, so that what slows the
 * machine down slows both.
 */
export function medianRatio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((value, at) => value / (theirs[at] ?? Number.NaN)));
}

export interface Goal {
  name: string;
  value: number;
  /** `atLeast` or `atMost`. */
  bound: readonly ['>=' | '<=', number];
}

export function isMet({ value, bound: [relation, limit] }: Goal): boolean {
  return relation === '>=' ? value >= limit : value <= limit;
}

/** A table of what was measured, one of the goals, and everything as one line of JSON. */
export function report(bench: string, rows: readonly object[], goals: readonly Goal[]): void {
  console.table(rows);
  console.table(
    goals.map((goal) => ({
      goal: goal.name,
      measured: rounded(goal.value, 3),
      wanted: goal.bound.join(' '),
      met: isMet(goal) ? 'yes' : 'NO',
    })),
  );
  const measured = goals.map(({ name, value, bound: [relation, limit] }) => ({
    name,
    value: rounded(value, 4),
    goal: `${relation} ${limit}`,
  }));
  process.stdout.write(
    `${JSON.stringify({ bench, node: process.version, rows, goals: measured })}\n`,
  );
}
