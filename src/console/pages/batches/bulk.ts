/** One action over many batches: what it adds up to, and doing it. */
import type { Client } from 'urql';
import { graphql, type ResultOf } from '../../data/graphql.ts';
import { sentenceOf } from '../../parts/part.tsx';
import { hasEnded } from '../../words/batch-state.ts';
import { many } from '../../words/numbers.ts';
import { BatchSums } from './documents.ts';
import type { ApiFilter } from './filter.ts';

export type BulkAction = 'cancel' | 'retry' | 'delete';
export type SumRow = ResultOf<typeof BatchSums>['batches']['edges'][number]['node'];

/** Requests that are under way at once. */
const atOnce = 4;

const Cancel = graphql(`
  mutation CancelOne($id: ID!) {
    cancelBatch(id: $id) {
      batch {
        id
        status
      }
    }
  }
`);
const Retry = graphql(`
  mutation RetryOne($id: ID!) {
    retryBatch(id: $id) {
      batch {
        id
        status
      }
    }
  }
`);
const Delete = graphql(`
  mutation DeleteOne($id: ID!) {
    deleteBatch(id: $id) {
      deletedId
    }
  }
`);
const mutations = { cancel: Cancel, retry: Retry, delete: Delete };

/** True where the action would change the batch. */
export function isMeant(action: BulkAction, { status, counts, contentDeletedAt }: SumRow): boolean {
  if (action === 'delete') return true;
  if (action === 'cancel') return !hasEnded({ status }) && status !== 'CANCELLING';
  if (status === 'CANCELLING' || contentDeletedAt !== null) return false;
  return status === 'FAILED' || counts.failed + counts.cancelled + counts.expired > 0;
}

/** The sums of the action, in sentences. */
export function sumsOf(action: BulkAction, rows: readonly SumRow[]): string[] {
  const meant = rows.filter((row) => isMeant(action, row));
  const sum = (of: (counts: SumRow['counts']) => number) =>
    meant.reduce((total, { counts }) => total + of(counts), 0);
  const succeeded = sum((counts) => counts.succeeded);
  const left = sum(({ pending, processing }) => pending + processing);
  const untouched = rows.length - meant.length;
  const others =
    untouched === 1 ? '1 other stays as it is' : `${many(untouched, 'other')} stay as they are`;
  const sentences: Record<BulkAction, string[]> = {
    cancel: [
      `${many(left, 'row')} will not be answered.`,
      ...(succeeded > 0
        ? [`${many(succeeded, 'answer')} ${succeeded === 1 ? 'is' : 'are'} kept.`]
        : []),
    ],
    retry: [
      `${many(
        sum(({ failed, cancelled, expired }) => failed + cancelled + expired),
        'row',
      )} that failed or ran out of time, or that a cancel left, will be sent again.`,
      'Answers that succeeded stay and are not paid for again.',
    ],
    delete: [
      succeeded > 0
        ? `${many(succeeded, 'answer')} will be gone. This cannot be undone.`
        : 'They have no answers. This cannot be undone.',
      ...(left > 0 ? [`${many(left, 'row')} without an answer will not be answered.`] : []),
    ],
  };
  return [...sentences[action], ...(untouched > 0 ? [`${others}.`] : [])];
}

/** Reads all that match, page by page. Null where it was stopped; throws a sentence on an error. */
export async function readAll(
  client: Client,
  filter: ApiFilter,
  {
    onRead,
    isStopped,
  }: { onRead: (read: number, total: number) => void; isStopped: () => boolean },
): Promise<SumRow[] | null> {
  const rows: SumRow[] = [];
  let after: string | null = null;
  for (;;) {
    const asked: { filter: ApiFilter; after: string | null } = { filter, after };
    const { data, error } = await client.query(BatchSums, asked, { requestPolicy: 'network-only' });
    if (isStopped()) return null;
    if (!data) throw new Error(error ? sentenceOf(error) : 'The server did not answer.');
    rows.push(...data.batches.edges.map(({ node }) => node));
    onRead(rows.length, data.batches.totalCount);
    if (!data.batches.pageInfo.hasNextPage) return rows;
    after = data.batches.pageInfo.endCursor;
  }
}

export interface BulkResult {
  done: number;
  failed: number;
  /** Message of the first that failed. */
  message: string | null;
}

/** Does it to each, a few at once. What was begun ends, also after a stop. */
export async function runAll(
  client: Client,
  { action, ids }: { action: BulkAction; ids: readonly string[] },
  {
    onDone,
    isStopped,
  }: { onDone: (id: string, result: BulkResult) => void; isStopped: () => boolean },
): Promise<BulkResult> {
  const result: BulkResult = { done: 0, failed: 0, message: null };
  const rest = ids.values();
  async function work(): Promise<void> {
    for (const id of rest) {
      if (isStopped()) return;
      const { error } = await client.mutation(mutations[action], { id });
      if (error) {
        result.failed += 1;
        result.message ??= sentenceOf(error);
      } else result.done += 1;
      onDone(id, { ...result });
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work));
  return result;
}
