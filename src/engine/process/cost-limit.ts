/** The limit of a batch, for those who send its items. */
import type { Standing } from '../../db/budgets.ts';
import type { OwnerStanding } from '../../db/owner-limits.ts';

/**
 * Why a batch can send nothing more under its own limit, for people; null where it can, or may when
 * what is under way has ended.
 */
export function whyUsedUp({ allowedItems, heldItems, quote, ...sums }: Standing): string | null {
  const { meanUsd, maxCostUsd } = sums;
  if (maxCostUsd === null || allowedItems > 0 || heldItems > 0) return null;
  if (meanUsd === null) return quote === 'absent' ? null : unknownMean[quote];
  return whyOver(sums);
}

/** Why a batch whose limit leaves too little sends nothing more, for people. */
export function whyOver({
  maxCostUsd,
  spentUsd,
  meanUsd,
}: Pick<Standing, 'maxCostUsd' | 'spentUsd' | 'meanUsd'>): string {
  const mean = meanUsd === null ? '' : `, and an item costs about ${usd(meanUsd)}`;
  return `maxCostUsd is ${usd(maxCostUsd ?? 0)}; ${usd(spentUsd)} were spent${mean}. resumeBatch with a higher maxCostUsd lets the batch go on`;
}

const unknownMean = {
  failed:
    'maxCostUsd cannot be held, because the batch could not be quoted. resumeBatch quotes it again',
  made: unknownPrice('the model'),
} as const;

/** The same of the month of its owner, of whose nothing is under way. */
export function whyOwnerUsedUp(owner: string, standing: OwnerStanding): string {
  const { limitUsd, spentUsd, month } = standing;
  return `${owner} may spend ${usd(limitUsd)} in ${month}; ${usd(spentUsd)} were spent. The batch goes on in the next month, or under a higher limit in BUDGETS`;
}

/** Why a limit cannot be held, for people. */
export function unknownPrice(of: 'the model' | 'an answer'): string {
  return `maxCostUsd cannot be held, because ${of} has no known price. PRICES sets one; then resumeBatch lets the batch go on`;
}

const digits = 4;

/** In four digits that count. */
export function usd(amount: number): string {
  return `${Number(amount.toPrecision(digits))} USD`;
}

/** The same of an amount above 0, rounded up: as a limit it is enough. */
export function usdUp(amount: number): string {
  const step = 10 ** (Math.floor(Math.log10(amount)) + 1 - digits);
  return usd(Math.ceil(amount / step) * step);
}
