/** What calls outside of batches cost goes to their owner, not to one that was erased before. */
import { pino } from 'pino';
import postgres from 'postgres';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type CallLedger, createCallLedger } from '../../src/app/call-ledger.ts';
import { eraseOwner } from '../../src/app/erase-owner.ts';
import { noUsage } from '../../src/core/usage.ts';
import { readOwnerStanding } from '../../src/db/owner-limits.ts';
import { readMonth, writeCallSpending } from '../../src/db/spending.ts';
import { createNudges, type Nudges } from '../../src/engine/process/nudges.ts';
import { openTestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

const model = 'test/rules';
const log = pino({ level: 'silent' });

const { db, url } = await openTestDatabase();

/** Of two processes: one that hears of erased owners, and one that does not. */
let hearing: CallLedger;
let deaf: CallLedger;
let nudges: Nudges;
beforeEach(async () => {
  await db.sql`truncate spending`;
  hearing = createCallLedger({ db, log });
  deaf = createCallLedger({ db, log });
  hearing.start();
  deaf.start();
  nudges = createNudges({ db, log });
  nudges.subscribeErased(hearing.rename);
  await nudges.start();
});
afterEach(async () => {
  await hearing.stop();
  await deaf.stop();
  await nudges.stop();
});

/** A call that costs so much. */
const call = (costUsd: number) => ({ ...noUsage, requests: 1, inputTokens: 1, costUsd });

async function spentBy(owner: string): Promise<number> {
  const [sum] = await db.sql<{ usd: number }[]>`
    select coalesce(sum(cost_usd), 0) as usd from spending where owner = ${owner}`;
  return sum?.usd ?? 0;
}

const untilSpent = (owner: string, usd: number) =>
  until(async () => (await spentBy(owner)) === usd, { deadlineMs: 10_000, what: `${usd} USD` });

it('an owner that comes back after its erasure is held to its budget again', async () => {
  const limits = { owners: new Map([['acme', 10]]), others: null };
  const underWay = [hearing.accountOf('acme'), deaf.accountOf('acme')];
  for (const account of underWay) account.add(model, call(1));
  await untilSpent('acme', 2);

  const { spending } = await eraseOwner(db, 'acme');
  // Calls that had begun before.
  for (const account of underWay) account.add(model, call(1));
  await untilSpent(spending.owner, 4);
  const after = await spentBy('acme');
  for (const ledger of [hearing, deaf]) ledger.accountOf('acme').add(model, call(3));
  await untilSpent('acme', 6);

  expect(after).toBe(0);
  expect(await spentBy(spending.owner)).toBe(4);
  expect(await readOwnerStanding(db.sql, limits, 'acme')).toMatchObject({ spentUsd: 6 });
});

it('what was not written yet when its owner was erased has no name either', async () => {
  hearing.accountOf('acme').add(model, call(1));
  deaf.accountOf('acme').add(model, call(1));

  const { spending } = await eraseOwner(db, 'acme');

  await untilSpent(spending.owner, 2);
  expect(await spentBy('acme')).toBe(0);
});

it('a call whose first cost comes long after the erasure of its owner has its name', async () => {
  const underWay = deaf.accountOf('acme');

  const { spending } = await eraseOwner(db, 'acme');
  underWay.add(model, call(1));
  await untilSpent(spending.owner, 1);
  for (const ledger of [hearing, deaf]) ledger.accountOf('acme').add(model, call(3));
  await untilSpent('acme', 6);

  expect(await spentBy(spending.owner)).toBe(1);
});

it('an erased owner is known by its rows of earlier months too', async () => {
  const underWay = deaf.accountOf('acme');
  underWay.add(model, call(1));
  await untilSpent('acme', 1);
  const { spending } = await eraseOwner(db, 'acme');
  await db.sql`update spending set month = '2000-01'`;

  underWay.add(model, call(1));
  await until(async () => (await spentBy(spending.owner)) > 1, {
    deadlineMs: 10_000,
    what: 'the call',
  });

  expect(await spentBy('acme')).toBe(0);
});

it('what a statement writes that began before the erasure, and ends behind it, is found too', async () => {
  const month = await readMonth(db.sql);
  await db.sql`
    insert into spending (batch_key, month, owner, model, execution)
    values (-1, ${month}, 'acme', ${model}, 'LIVE')`;
  const other = postgres(url, { max: 1 });
  const writing = await other.reserve();
  await writing`begin`;
  const usage = call(2);
  const sum = { key: -2n, owner: 'acme', isErased: false, age: 1, model, usage };
  await writeCallSpending(writing as never, month, [sum]);

  const erasing = eraseOwner(db, 'acme');
  await until(async () => (await db.sql`select from spending where owner = 'acme'`).count === 0, {
    deadlineMs: 10_000,
    what: 'the first renaming',
  });
  await writing`commit`;
  const { spending } = await erasing;
  writing.release();
  await other.end();

  expect(await spentBy('acme')).toBe(0);
  expect(await spentBy(spending.owner)).toBe(2);
  expect(spending.sums).toBe(2);
});
