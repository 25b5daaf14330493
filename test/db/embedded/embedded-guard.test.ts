import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Cluster } from '../../../src/db/embedded/cluster.ts';
import { guardPostmaster, type ServerEvent } from '../../../src/db/embedded/guard.ts';
import { until } from '../../support/until.ts';

it('a guard that cannot look for its server says so, and goes on', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'winnow-guard-'));
  // Nothing can be read below a file.
  const data = join(folder, 'data');
  await writeFile(data, '');
  const events: ServerEvent[] = [];

  const guard = guardPostmaster({
    cluster: { folder, data } as Cluster,
    port: 1,
    withLock: (work) => work(),
    onEvent: (event) => events.push(event),
  });
  await until(() => events.length >= 2, { deadlineMs: 10_000, what: 'two attempts' });
  await guard.stop();
  await rm(folder, { recursive: true });

  expect(events.map(({ kind }) => kind)).toEqual(events.map(() => 'not_restarted'));
});
