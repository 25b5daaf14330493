/** Work that a copy of a database must let go of before it may work: it is the original's. */
import { eq, sql } from 'drizzle-orm';
import type { Builder, Sql } from './driver/client.ts';
import { unended } from './guards.ts';
import { batches, webhooks, workers } from './tables.ts';

/** Begins the end of every unfinished batch, as a cancel does. Returns how many there were. */
export async function beginCancelOfAll({ query }: Builder): Promise<number> {
  const begun = await query
    .update(batches)
    .set({ status: 'CANCELLING', ending: 'CANCELLED', cancelInitiatedAt: sql`now()` })
    .where(unended)
    .returning({ key: batches.key });
  return begun.length;
}

/** Their chunks are taken back with the next reclaim. */
export async function forgetWorkers({ query }: Builder): Promise<void> {
  await query.delete(workers);
}

/** Ends all jobs here alone: at the provider they go on. Returns how many there were. */
export async function forgetJobs(sql: Sql): Promise<number> {
  const [ended] = await sql<{ jobs: number }[]>`
    with ended as (
      update provider_batches
      set state = 'done', status = 'forgotten', worker = null, ended_at = now()
      where state <> 'done'
      returning id
    ),
    given_back as (
      update chunks set state = 'open', owner = null, sent_to = first - 1, repeats = 0
      where state = 'leased' and owner in (select id from ended)
    )
    select count(*)::int as jobs from ended`;
  return ended?.jobs ?? 0;
}

/** Webhooks that are not delivered are given up. Returns how many there were. */
export async function forgetWebhooks({ query }: Builder): Promise<number> {
  const given = await query
    .update(webhooks)
    .set({ state: 'abandoned', lease: null })
    .where(eq(webhooks.state, 'pending'))
    .returning({ key: webhooks.key });
  return given.length;
}
