import { expect, it } from 'vitest';
import WebSocket from 'ws';
import { submitTexts, subscribe, subscribeSse } from '../graphql/support.ts';
import { startApp } from '../support/app.ts';
import { until } from '../support/until.ts';

it('an orderly end completes every subscription and waits for nobody who has stopped listening', async () => {
  const app = await startApp();
  const id = await submitTexts(app, ['good'], { autoStart: false });
  const query = 'subscription($id: ID!) { batchProgress(id: $id) { status } }';
  const events = subscribeSse(app, query, { id });
  const list = subscribeSse(app, 'subscription { batchesChanged { id } }');
  const overSocket = subscribe(app.socket(), query, { id });
  await until(() => events.all.length > 0 && overSocket.all.length > 0, {
    deadlineMs: 5_000,
    what: 'first events',
  });
  const deaf = new WebSocket(`${app.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  await new Promise((resolve) => deaf.once('open', resolve));
  deaf.pause();

  const stopping = performance.now();
  await app.stop();

  expect(performance.now() - stopping).toBeLessThan(10_000);
  await Promise.all([events.ended(), list.ended(), overSocket.ended()]);
  deaf.terminate();
});
