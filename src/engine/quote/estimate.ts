/** Figures that are not known yet, with how far they may be off. */

/** A figure with the range in which it lies in 19 cases of 20. */
export interface Estimate {
  expected: number;
  low: number;
  high: number;
}

/** Standard errors that 19 of 20 values lie within. */
export const normalErrors = 1.96;

export function times({ expected, low, high }: Estimate, count: number): Estimate {
  return {
    expected: Math.round(expected * count),
    low: Math.round(low * count),
    high: Math.round(high * count),
  };
}

/** 0 for no values. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
