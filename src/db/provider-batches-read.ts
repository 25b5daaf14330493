/** Provider batches as they are shown. */
import type { Sql } from './driver/client.ts';

/** A job at a provider's batch API, at one instant. */
export interface ProviderBatchRecord {
  batchKey: bigint;
  /** Ours, public. */
  id: string;
  /** The provider's; null as long as it is not known to exist there. */
  providerId: string | null;
  /** As in `provider/name`. */
  provider: string;
  /** In the provider's own words; in ours before it exists there. */
  status: string;
  counts: Counts;
  createdAt: Date;
  endedAt: Date | null;
}

/** Items or requests by where they stand. Adds up to total. */
export interface Counts {
  total: number;
  pending: number;
  processing: number;
  succeeded: number;
  failed: number;
  cancelled: number;
  expired: number;
}

/** A batch with more was retried very often; the oldest are not shown. */
export const maxPerBatch = 1_000;

interface Row extends Omit<ProviderBatchRecord, 'counts'> {
  state: 'preparing' | 'creating' | 'working' | 'reading' | 'done';
  requests: number;
  succeeded: number;
  failed: number;
  cancelled: number;
  expired: number;
}

/** The provider batches of some batches, each batch's oldest first; of each the latest 1,000. */
export async function listProviderBatches(
  sql: Sql,
  batchKeys: readonly bigint[],
): Promise<ProviderBatchRecord[]> {
  const rows = await sql<Row[]>`
    select p.batch_key as "batchKey", p.id, p.provider_id as "providerId", split_part(p.model, '/', 1) as provider,
           p.state, p.status, p.requests, p.succeeded, p.failed, p.cancelled, p.expired,
           p.created_at as "createdAt", p.ended_at as "endedAt"
    from unnest(${batchKeys.map(String)}::text[]::bigint[]) as given
    cross join lateral (
      select * from provider_batches where batch_key = given order by key desc limit ${maxPerBatch}
    ) p
    order by p.batch_key, p.key`;
  return rows.map(({ state, requests, succeeded, failed, cancelled, expired, ...shown }) => ({
    ...shown,
    counts: counted(state, { requests, succeeded, failed, cancelled, expired }),
  }));
}

/**
 * A provider's counts of its requests may lag, or exceed what it was sent: each count takes of what
 * those before it have left. The rest is being processed while the provider has the job; before,
 * and in a job that is over without an answer for it, it is pending: the next job or call takes it,
 * or the batch's own end does.
 */
function counted(
  state: Row['state'],
  given: Pick<Row, 'requests' | 'succeeded' | 'failed' | 'cancelled' | 'expired'>,
): Counts {
  let rest = given.requests;
  const take = (count: number) => {
    const taken = Math.min(Math.max(0, count), rest);
    rest -= taken;
    return taken;
  };
  const succeeded = take(given.succeeded);
  const failed = take(given.failed);
  const cancelled = take(given.cancelled);
  const expired = take(given.expired);
  const atProvider = state === 'working' || state === 'reading';
  return {
    total: given.requests,
    pending: atProvider ? 0 : rest,
    processing: atProvider ? rest : 0,
    succeeded,
    failed,
    cancelled,
    expired,
  };
}
