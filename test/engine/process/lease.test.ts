import { expect, test } from 'vitest';
import { createLog } from '../../../src/core/log.ts';
import { deleteWorker, insertWorker, listWorkers } from '../../../src/db/workers.ts';
import { createLease } from '../../../src/engine/process/lease.ts';
import { createEvents } from '../../../src/telemetry/events.ts';
import { openTestDatabase } from '../../support/database.ts';
import { createTrail } from '../../support/trail.ts';
import { until } from '../../support/until.ts';

const { db } = await openTestDatabase();

test('every listener hears of a loss, and the lease goes on under a new id', async () => {
  const log = createLog('silent', { role: 'all' });
  const events = createEvents(log);
  const trail = createTrail(events);
  const lease = createLease({ db, leaseMs: 300, log, events });
  const heard: string[] = [];
  lease.onLost(() => heard.push(`first, with ${lease.id()}`));
  lease.onLost(() => heard.push('second'));
  const off = lease.onLost(() => heard.push('unsubscribed'));
  off();
  let renewals = 0;
  lease.onRenewed(() => {
    renewals += 1;
  });
  await lease.start();
  const id = lease.id();
  await until(() => renewals > 0, { deadlineMs: 5_000, what: 'a renewal' });
  const heardBefore = [...heard];

  const [losing, taking] = [trail.next('lease.lost'), trail.next('lease.taken')];
  await deleteWorker(db, String(id));
  const lost = await losing;
  const taken = await taking;
  const next = lease.id();
  await lease.stop();

  expect(heardBefore).toEqual([]);
  expect(lost.worker).toBe(id);
  expect(taken.worker).toBe(next);
  expect(heard.slice(0, 2)).toEqual(['first, with null', 'second']);
  expect(heard).not.toContain('unsubscribed');
  expect(next).toMatch(/^worker_/);
  expect(next).not.toBe(id);
  expect(lease.id()).toBeNull();
});

test('a start buries what died under its own process id, and no lease that lives beside it', async () => {
  const log = createLog('silent', { role: 'all' });
  const events = createEvents(log);
  const first = createLease({ db, leaseMs: 30_000, log, events });
  const second = createLease({ db, leaseMs: 30_000, log, events });
  await first.start();
  const id = String(first.id());
  const [own] = await db.sql`select machine, pid from workers where id = ${id}`;
  const [machine, pid] = [String(own?.machine), Number(own?.pid)];
  await insertWorker(db, { id: 'worker_before', machine, pid, leaseMs: 30_000 });

  await second.start();
  const left = (await listWorkers(db, machine)).map((worker) => worker.id);
  const ids = [first.id(), second.id()];
  await second.stop();
  await first.stop();

  expect(left.toSorted()).toEqual(ids.toSorted());
});
