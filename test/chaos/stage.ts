/**
 * Where a chaos test plays: a database, a provider that keeps every request, a server apart from
 * all workers, and a crew of workers.
 */
import postgres from 'postgres';
import { expect } from 'vitest';
import { type Sandbox, startFaultySandbox } from '../../src/sandbox/faults/sandbox.ts';
import { processHeader, startProcess, type WinnowProcess } from '../engine/worker/process.ts';
import {
  type BatchView,
  hasEnded,
  readBatch,
  readItems,
  timesAsked,
} from '../engine/worker/support.ts';
import { type App, startApp } from '../support/app.ts';
import { createTestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';
import { seed } from './run.ts';

export interface Member extends WinnowProcess {
  name: string;
}

export interface Stage {
  databaseUrl: string;
  sandbox: Sandbox;
  /** Serves, and works on nothing. */
  api: App;
  /** Connections of the test's own. */
  sql: postgres.Sql;
  concurrency: number;
  leaseMs: number;
  /** Starts a process, a worker unless its environment says otherwise. */
  start(name: string, env?: Record<string, string>): Promise<Member>;
  startAll(names: readonly string[], env?: Record<string, string>): Promise<Member[]>;
  /** When, in milliseconds since 1970, requests of this process came in. */
  askedBy(name: string): number[];
  /** Requests beyond the first of each item. */
  askedAgain(): number;
  /** How often a process lost its lease. */
  fences(): number;
  /** Kills whoever still runs, and forgets what was asked. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

export interface StageOptions {
  concurrency?: number;
  leaseMs?: number;
  /** Median of the provider's answers. */
  latencyMs?: number;
  /** Instead of a database of its own. */
  databaseUrl?: string;
  /** For the server that is part of the stage. */
  apiEnv?: Record<string, string>;
}

export async function setStage({
  concurrency = 64,
  leaseMs = 3_000,
  latencyMs = 200,
  databaseUrl,
  apiEnv = {},
}: StageOptions = {}): Promise<Stage> {
  const database = databaseUrl === undefined ? await createTestDatabase() : null;
  const url = databaseUrl ?? database?.url ?? '';
  const sandbox = await startFaultySandbox({
    latencyMs: { medianMs: latencyMs, sigma: 0.3, seed },
    journal: 200_000,
  });
  const api = await startApp({ ROLE: 'api', ...apiEnv }, { databaseUrl: url, sandbox });
  const sql = postgres(url, { max: 2, onnotice: () => undefined });
  await noteLongMarks(sql);
  const crew = new Set<Member>();
  /** Those who have gone, too. */
  const everybody: Member[] = [];

  const stage: Stage = {
    databaseUrl: url,
    sandbox,
    api,
    sql,
    concurrency,
    leaseMs,
    async start(name, env = {}) {
      const started = await startProcess(name, {
        databaseUrl: url,
        sandbox,
        env: {
          WORKER_CONCURRENCY: String(concurrency),
          WORKER_LEASE_MS: String(leaseMs),
          ...env,
        },
      });
      const member = { ...started, name };
      crew.add(member);
      everybody.push(member);
      void started.exited.then(() => crew.delete(member));
      return member;
    },
    startAll: (names, env) => Promise.all(names.map((name) => stage.start(name, env))),
    askedBy: (name) =>
      sandbox.requests.journal
        .filter(({ headers }) => headers[processHeader] === name)
        .map(({ at }) => at),
    askedAgain: () => sandbox.requests.count - timesAsked(sandbox).size,
    fences: () =>
      everybody.reduce((sum, one) => sum + one.output().split('lost its lease').length - 1, 0),
    async clear() {
      everybody.length = 0;
      const running = [...crew];
      for (const member of running) {
        member.signal('SIGCONT');
        member.signal('SIGKILL');
      }
      await Promise.all(running.map(({ exited }) => exited));
      sandbox.faults.clear();
      sandbox.requests.clear();
      await sql`truncate long_marks`;
    },
    async close() {
      await stage.clear();
      await sql.end({ timeout: 1 });
      await api.stop();
      await sandbox.close();
      await database?.drop();
    },
  };
  return stage;
}

/**
 * A worker marks three items at once, or 5 % of the concurrency, and more where the database does
 * not keep up. Such marks are noted in the stage's database.
 */
const usualMark = 3;

async function noteLongMarks(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`
    create unlogged table if not exists long_marks (worker text, items int);
    create or replace function note_long_mark() returns trigger language plpgsql as $$
    begin
      insert into long_marks values (new.owner, new.sent_to - old.sent_to);
      return null;
    end $$;
    create or replace trigger long_marks after update on chunks for each row
      when (new.owner = old.owner and new.sent_to - old.sent_to > ${usualMark})
      execute function note_long_mark()`);
}

/** How many items more than usual the longest marks of dead workers had, all together. */
async function countMarkedAhead(sql: postgres.Sql): Promise<number> {
  const [ahead] = await sql`
    select coalesce(sum(items - ${usualMark}), 0)::int as items from (
      select max(items) as items from long_marks m
      where not exists (select from workers w where w.id = m.worker and w.expires_at > now())
      group by worker
    ) longest`;
  return Number(ahead?.items);
}

/** The account of some batches that have ended. */
export interface Account {
  batches: BatchView[];
  items: number;
  /** Requests that the provider got beyond the first of each item. */
  again: number;
  /** Requests that the batches say were sent again. */
  reported: number;
  /** So many more may be reported, because the database did not keep up with the marks. */
  markedAhead: number;
}

/**
 * Waits for the end of batches over these texts, which all succeed, has `onEnd` end the trouble,
 * and counts: nothing lost, nothing twice, nothing under-reported.
 */
export async function accountFor(
  stage: Stage,
  ids: readonly string[],
  given: readonly string[],
  {
    deadlineMs = 180_000,
    onEnd = async () => {},
  }: { deadlineMs?: number; onEnd?: () => Promise<void> } = {},
): Promise<Account> {
  await until(
    async () => {
      // A read may meet the database just when it is taken away; whoever asks then asks again.
      const states = await Promise.allSettled(ids.map((id) => readBatch(stage.api, id)));
      return states.every((state) => state.status === 'fulfilled' && hasEnded(state.value));
    },
    { deadlineMs, what: 'the end of all batches' },
  );
  await onEnd();
  const batches = await Promise.all(ids.map((id) => readBatch(stage.api, id)));
  const answered = (await Promise.all(ids.map((id) => readItems(stage.api, id)))).flat();
  const asked = timesAsked(stage.sandbox);
  const again = stage.askedAgain();
  const reported = batches.reduce((sum, { resentRequests }) => sum + resentRequests, 0);

  expect(batches.map(({ status }) => status)).toEqual(ids.map(() => 'COMPLETED'));
  expect(answered.map(({ content }) => content)).toEqual(given);
  expect(new Set(answered.map(({ status }) => status))).toEqual(new Set(['SUCCEEDED']));
  expect(batches.reduce((sum, { counts }) => sum + counts.succeeded, 0)).toBe(given.length);
  expect(batches.reduce((sum, { usage }) => sum + usage.requests, 0)).toBe(given.length);
  expect(asked.size).toBe(given.length);
  expect(reported).toBeGreaterThanOrEqual(again);
  const [ledger] = await stage.sql`
    select sum(requests)::int as requests, sum(unmetered)::int as unmetered
    from spending where batch_key in (select key from batches where id = any(${[...ids]}))`;
  expect(ledger).toEqual({
    requests: batches.reduce((sum, { usage }) => sum + usage.requests, 0),
    unmetered: batches.reduce((sum, { usage }) => sum + usage.unmeteredRequests, 0),
  });
  const markedAhead = await countMarkedAhead(stage.sql);
  return { batches, items: given.length, again, reported, markedAhead };
}

/**
 * What was asked again is at most what may be under way in a process, for each that died (`kills`)
 * or lost its lease (`fences` of which the test brought about itself). What is reported is at most
 * 5 % more, or three requests for each, and what a busy database had marked ahead; on a machine so
 * busy that further leases ran out, a quarter of what may be under way.
 */
export function expectBounded(
  stage: Stage,
  { again, reported, markedAhead }: Account,
  { kills = 0, fences = 0 }: { kills?: number; fences?: number },
): void {
  const lost = stage.fences();
  const deaths = kills + lost;
  const perDeath = lost > fences ? stage.concurrency / 4 : usualMark;
  expect(again).toBeLessThanOrEqual(deaths * stage.concurrency);
  expect(reported - again).toBeLessThanOrEqual(
    Math.max(perDeath * deaths + markedAhead, 0.05 * again),
  );
}
