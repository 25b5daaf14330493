/** Which rows of a batch are shown, and in which order: it stands in the address. */
import type { graphql } from '../../../data/graphql.ts';
import type { ItemErrorCode } from '../../../words/item-error.ts';

type ItemStatus = ReturnType<typeof graphql.scalar<'ItemStatus'>>;

export interface RowFilter {
  status: ItemStatus | null;
  code: ItemErrorCode | null;
  labels: readonly string[];
  /** Only answers less sure than this, 0 to 1. */
  below: number | null;
  search: string;
  /** Only where `canBeSure`: this order leaves out the rows without a confidence. */
  leastSureFirst: boolean;
}

const statuses: readonly ItemStatus[] = [
  'PENDING',
  'PROCESSING',
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
  'EXPIRED',
];

/** The filter that the address holds. A value that is not one is left out. */
export function filterOf(address: URLSearchParams): RowFilter {
  const status = address.get('status')?.toUpperCase();
  const below = Number(address.get('below') ?? 'none');
  const kind = {
    status: statuses.find((one) => one === status) ?? null,
    code: (address.get('code')?.toUpperCase() as ItemErrorCode | undefined) ?? null,
  };
  return {
    ...kind,
    labels: address.getAll('label'),
    below: below > 0 && below <= 1 ? below : null,
    search: (address.get('q') ?? '').slice(0, 200),
    leastSureFirst: canBeSure(kind) && address.get('order') === 'sure',
  };
}

/** True where answers may be among the rows: nothing else has a confidence. */
export function canBeSure({ status, code }: Pick<RowFilter, 'status' | 'code'>): boolean {
  return code === null && (status === null || status === 'SUCCEEDED');
}

/** Values that take every filter out of the address. */
export const noFilter = { status: null, code: null, label: null, below: null, q: null } as const;

/** True where rows are left out: their places in the list are then unknown. */
export function isFiltered(filter: RowFilter): boolean {
  const { status, code, labels, below, search } = filter;
  return status !== null || code !== null || labels.length > 0 || below !== null || search !== '';
}

export function hasPlaces(filter: RowFilter): boolean {
  return !isFiltered(filter) && !filter.leastSureFirst;
}
