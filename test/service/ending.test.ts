/** The order in which the parts of a process are taken down. */
import { expect, it } from 'vitest';
import { createLog } from '../../src/core/log.ts';
import { createEnding } from '../../src/service/ending.ts';

it('closes in reverse, and what tells of the end behind all else', async () => {
  const ending = createEnding(createLog('silent', { role: 'all' }));
  const closed: string[] = [];
  const close = (name: string) => async () => {
    closed.push(name);
  };
  ending.addLast(close('METRICS_PORT'));
  ending.add(close('the database'));
  ending.addLast(close('PORT'));
  ending.add(close('the engine'));

  await ending.stop();

  expect(closed).toEqual(['the engine', 'the database', 'PORT', 'METRICS_PORT']);
});
