/** Model calls at once of an owner with a limit, beside those of one without. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { submitTexts, untilEnded } from '../faces/graphql/support.ts';
import { startApp } from '../support/app.ts';
import { completion } from '../support/stub-provider.ts';
import { until } from '../support/until.ts';

type Owner = 'acme' | 'other';
const keys = { acme: 'acme-key-0123456789abcdefgh', other: 'other-key-123456789abcdefgh' };
const as = (owner: Owner) => ({ authorization: `Bearer ${keys[owner]}` });
const allowed = 4;
const beside = 64;

/** A provider that counts the calls of each owner by their texts; it answers once it is opened. */
async function startCounting() {
  const underWay = { acme: 0, other: 0 };
  const most = { acme: 0, other: 0 };
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const server = createServer(async (request, response) => {
    const owner = (await text(request)).includes('a text of acme') ? 'acme' : 'other';
    underWay[owner] += 1;
    most[owner] = Math.max(most[owner], underWay[owner]);
    response.once('close', () => {
      underWay[owner] -= 1;
    });
    await opened;
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify(completion('{"label":"praise","confidence":0.9}')));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${port}/v1`, underWay, most, open, close };
}

test('the provider sees 4 calls of acme at once, and 64 of another owner beside them', async () => {
  const provider = await startCounting();
  const app = await startApp({
    PROVIDERS: JSON.stringify({ stub: { baseURL: provider.url, models: ['base'] } }),
    DEFAULT_MODEL: 'stub/base',
    API_KEYS: `acme:${keys.acme},other:${keys.other}`,
    LIMITS: JSON.stringify({ acme: { modelCalls: allowed } }),
    WORKER_CONCURRENCY: String(allowed + beside),
  });
  const { underWay, most, open } = provider;
  const textsOf = (owner: Owner, count: number) =>
    Array.from({ length: count }, (_, at) => `a text of ${owner}, number ${at}`);
  try {
    const first = await submitTexts(app, textsOf('acme', 200), { headers: as('acme') });
    await until(() => underWay.acme === allowed, { deadlineMs: 15_000, what: 'calls of acme' });
    // What acme asks for itself waits behind its batch.
    const direct = app.graphql(
      `mutation($items: [ItemInput!]!) {
        label(items: $items, options: {categories: ["praise", "complaint"]}) { results { label } } }`,
      { items: textsOf('acme', 10).map((content) => ({ content })) },
      as('acme'),
    );
    const second = await submitTexts(app, textsOf('other', 300), { headers: as('other') });
    await until(() => underWay.other >= beside, { deadlineMs: 15_000, what: 'calls beside' });
    expect(underWay.acme).toBe(allowed);
    open();

    expect((await direct).data?.label.results).toHaveLength(10);
    await untilEnded(app, first, as('acme'));
    await untilEnded(app, second, as('other'));
    expect(most.acme).toBe(allowed);
    expect(most.other).toBeGreaterThanOrEqual(beside);
  } finally {
    open();
    await app.stop();
    await provider.close();
  }
});
