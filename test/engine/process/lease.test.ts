import { expect, test } from 'vitest';
import { createLog } from '../../../src/core/log.ts';
import { deleteWorker } from '../../../src/db/workers.ts';
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
