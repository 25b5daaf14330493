import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startApp } from '../support/app.ts';

/** Ports of all HTTP servers of this process that are asked for something until `stop`. */
function listenForPorts() {
  const ports = new Set<number>();
  const onRequest = (message: unknown) => {
    const { server } = message as { server: Server };
    const { port } = server.address() as AddressInfo;
    ports.add(port);
  };
  subscribe('http.server.request.start', onRequest);
  const stop = () => void unsubscribe('http.server.request.start', onRequest);
  return { ports, stop };
}

test('the sandbox of a server answers nobody else on the machine', async () => {
  const app = await startApp({ DEFAULT_MODEL: 'sandbox/rules' });
  onTestFinished(() => app.stop());
  const heard = listenForPorts();
  onTestFinished(heard.stop);

  const answered = await app.graphql(
    `mutation { label(items: [{content: "I love it"}], options: {categories: ["praise", "complaint"]}) {
       results { label error { code } } } }`,
  );
  heard.stop();
  const [port] = [...heard.ports].filter((port) => port !== Number(new URL(app.url).port));
  const asked = await Promise.all(
    ['v1/files', 'v1/files/file-1/content', 'v1/batches', 'v1/models', 'v1/messages/batches'].map(
      async (path) => {
        const response = await fetch(`http://127.0.0.1:${port}/${path}`, {
          headers: { 'anthropic-version': '2023-06-01' },
        });
        return [path, response.status];
      },
    ),
  );

  expect(answered.data?.label.results).toEqual([{ label: 'praise', error: null }]);
  expect(asked).toEqual([
    ['v1/files', 401],
    ['v1/files/file-1/content', 401],
    ['v1/batches', 401],
    ['v1/models', 401],
    ['v1/messages/batches', 401],
  ]);
});
