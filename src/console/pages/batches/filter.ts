/** The filter of the list, as it stands in the address: `?name=mails&show=running&since=week`. */
import type { graphql, VariablesOf } from '../../data/graphql.ts';
import type { BatchPage, BatchRow } from './documents.ts';

export type Operation = ReturnType<typeof graphql.scalar<'Operation'>>;
type Status = BatchRow['status'];
export type ApiFilter = NonNullable<VariablesOf<typeof BatchPage>['filter']>;

export const shows = ['all', 'running', 'waits', 'ended'] as const;
export type Show = (typeof shows)[number];

export const sinces = {
  '': 'Any time',
  today: 'Today',
  week: 'Last 7 days',
  month: 'Last 30 days',
};
type Since = keyof typeof sinces;

export const operations: readonly Operation[] = [
  'LABEL',
  'EXTRACT',
  'SUMMARIZE',
  'ENRICH',
  'RUN',
  'CHAT',
];

export interface Filter {
  name: string;
  show: Show;
  operation: Operation | null;
  since: Since;
}

const statusesOf: Readonly<Record<Show, readonly Status[] | null>> = {
  all: null,
  running: ['QUEUED', 'PROCESSING', 'CANCELLING'],
  waits: ['PAUSED', 'DRAFT', 'FAILED'],
  ended: ['COMPLETED', 'FAILED', 'CANCELLED', 'EXPIRED'],
};

export function readFilter(address: URLSearchParams): Filter {
  const show = address.get('show') as Show;
  const operation = address.get('operation')?.toUpperCase() as Operation;
  const since = address.get('since') ?? '';
  return {
    name: address.get('name') ?? '',
    show: shows.includes(show) ? show : 'all',
    operation: operations.includes(operation) ? operation : null,
    since: Object.hasOwn(sinces, since) ? (since as Since) : '',
  };
}

export function isWhole({ name, show, operation, since }: Filter): boolean {
  return name === '' && show === 'all' && operation === null && since === '';
}

/** `now`: milliseconds since 1970. Days are those of this machine's calendar. */
export function toApiFilter({ name, show, operation, since }: Filter, now: number): ApiFilter {
  const statuses = statusesOf[show];
  const first = firstInstant(since, now);
  return {
    ...(name ? { name } : {}),
    ...(statuses ? { status: [...statuses] } : {}),
    ...(operation ? { operation: [operation] } : {}),
    ...(first ? { createdAfter: first } : {}),
  };
}

/** True where the server would list the batch under the filter. */
export function matches(filter: ApiFilter, batch: BatchRow): boolean {
  const { name, status, operation, createdAfter } = filter;
  return (
    (!name || (batch.name ?? '').toLowerCase().includes(name.toLowerCase())) &&
    (!status || status.includes(batch.status)) &&
    (!operation || operation.includes(batch.operation)) &&
    (!createdAfter || Date.parse(batch.createdAt) >= Date.parse(createdAfter))
  );
}

const dayMs = 86_400_000;

function firstInstant(since: Since, now: number): string | null {
  if (since === '') return null;
  const midnight = new Date(now);
  midnight.setHours(0, 0, 0, 0);
  const days = { today: 0, week: 6, month: 29 }[since];
  return new Date(midnight.getTime() - days * dayMs).toISOString();
}
