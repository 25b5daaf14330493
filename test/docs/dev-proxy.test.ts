/**
 * The proxy that docs/guides/frontend.md shows for a page in development: all that a page uses goes
 * through it.
 */
import { readFile } from 'node:fs/promises';
import { runInNewContext } from 'node:vm';
import { createServer, type ViteDevServer } from 'vite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import WebSocket from 'ws';
import { request, submitTexts, untilEnded } from '../faces/graphql/support.ts';
import { type App, startApp } from '../support/app.ts';

let app: App;
let vite: ViteDevServer;
let origin: string;
beforeAll(async () => {
  app = await startApp();
  const guide = await readFile(new URL('../../docs/guides/frontend.md', import.meta.url), 'utf8');
  const block = /```ts\n\/\/ vite\.config\.ts\n([\s\S]*?)```/.exec(guide)?.[1] ?? '';
  const source = block
    .replace('export default', 'config =')
    .replace('http://127.0.0.1:4000', app.url);
  const context: { config?: { server: object } } = {};
  runInNewContext(source, context);
  vite = await createServer({
    configFile: false,
    logLevel: 'silent',
    appType: 'custom',
    server: { ...context.config?.server, host: '127.0.0.1', port: 0 },
  });
  await vite.listen();
  const address = vite.httpServer?.address();
  origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterAll(async () => {
  await vite.close();
  await app.stop();
});

it('queries, uploads, outputs and sockets reach Winnow from the page’s own origin', async () => {
  const id = await submitTexts(app, ['good']);
  await untilEnded(app, id);
  const headers = { origin };

  const query = await request(`${origin}/graphql?query={__typename}`, { headers });
  const upload = await request(`${origin}/files?name=a.txt`, {
    method: 'POST',
    headers,
    body: 'one\n',
  });
  const output = await request(`${origin}/batches/${id}/output?format=csv`, { headers });
  const socket = new WebSocket(`${origin.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
    origin,
  });
  const opened = await new Promise((resolve) => {
    socket.once('open', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  socket.close();

  expect(query.body.data).toEqual({ __typename: 'Query' });
  expect(upload.status).toBe(201);
  expect(output.text).toContain('succeeded');
  expect(opened).toBe(true);
});
