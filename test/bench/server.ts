/**
 * The server that is measured, in a process of its own: answers over IPC how much memory it has
 * had, for how long its event loop was held up, and how long it has computed.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/core/log.ts';
import { openDatabase } from '../../src/db/driver/client.ts';
import { openCopy } from '../../src/db/driver/copy.ts';
import { sendRouteError } from '../../src/faces/http/route-error.ts';
import { answerUpload } from '../../src/faces/rest/upload-route.ts';
import { startService } from '../../src/service.ts';
import { createEvents } from '../../src/telemetry/events.ts';

const sampleMs = 10;

const log = createLog('warn', { role: 'all' });
const service = await startService(readConfig({ ...process.env, PORT: '0' }), log);
const graphql = `${service.url}/graphql`;
const { status } = await fetch(`${service.url}/files`, { method: 'POST', body: '' });
const files = status === 404 ? await serveFiles() : `${service.url}/files`;

let peak = 0;
const loop = monitorEventLoopDelay({ resolution: 5 });
loop.enable();
setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, sampleMs);
process.on('message', (message) => {
  if (message === 'stop') {
    void service.stop({ hurry: true }).then(() => process.exit(0));
    return;
  }
  const { user, system } = process.cpuUsage();
  process.send?.({
    rss: process.memoryUsage.rss(),
    peak,
    loopP99Ms: loop.percentile(99) / 1e6,
    cpuMs: (user + system) / 1_000,
  });
  peak = 0;
  loop.reset();
});
process.send?.({ graphql, files });

/** Until the service has the route itself. */
async function serveFiles(): Promise<string> {
  const url = process.env.DATABASE_URL ?? '';
  const submit = () => Promise.reject(new Error('the bench submits by GraphQL'));
  const services = {
    db: openDatabase(url),
    copy: openCopy(url),
    events: createEvents(log),
    submit,
    limitsOf: () => null,
    discard: async () => undefined,
  };
  const http = createServer((request, response) => {
    const query = new URL(request.url ?? '/', 'http://localhost').searchParams;
    void answerUpload({ request, response, services, owner: 'local', query }).catch(
      (error: unknown) => sendRouteError(response, error, { asking: { requestId: 'test' }, log }),
    );
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}/files`;
}
