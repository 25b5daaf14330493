/** What the log may hold: what happened, never anybody's text or keys. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  labelOptions,
  post,
  submitMutation,
  submitTexts,
  untilEnded,
} from '../faces/graphql/support.ts';
import { type App, startApp } from '../support/app.ts';

const key = 'anna-key-0123456789abcdefgh';
const anna = { authorization: `Bearer ${key}` };
const providerKey = 'sk-provider-key-0123456789abcdef';
const secret = 'the secret words of an item';

const logged: string[] = [];
let app: App;
beforeAll(async () => {
  const logTo = new Writable({
    write(line, _encoding, done) {
      logged.push(String(line));
      done();
    },
  });
  app = await startApp(
    {
      API_KEYS: `anna:${key}`,
      LOG_LEVEL: 'trace',
      OPENAI_API_KEY: providerKey,
      OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
    },
    { logTo },
  );
});
afterAll(() => app.stop());

it('neither item text nor keys nor prompts are logged, whatever happens to them', async () => {
  const ask = (query: string, variables: Record<string, unknown>) =>
    post(app, { query, variables }, anna);
  const label =
    'mutation($items: [ItemInput!]!, $options: LabelOptions!) { label(items: $items, options: $options) { results { error { message } } } }';
  const items = [
    {
      content: secret,
      customId: `${secret} id`,
      metadata: { [`${secret} key`]: `${secret} value` },
    },
  ];
  const options = { ...labelOptions, systemPrompt: `${secret} prompt` };

  await ask(label, { items, options });
  await ask(label, { items: [...items, ...items], options }); // a custom id twice
  await ask(label, { items: [{ content: { secret } }], options }); // a wrong shape
  await ask(label, { items, options: { ...options, userPromptTemplate: `{${secret}}` } });
  await ask(`{ ${secret} }`, {});
  await ask(
    `mutation { label(items: [{content: "${secret}", nope: 1}], options: {categories: ["a", "b"]}) { model } }`,
    {},
  );
  await post(app, `{"query": "${secret}`, anna);
  await post(
    app,
    { query: '{ __typename }' },
    { authorization: `Bearer ${secret.replaceAll(' ', '-')}-wrong-key` },
  );
  await ask('query($n: String) { batches(filter: {name: $n}) { totalCount } }', { n: secret });
  for (const fault of [
    { kind: 'status', status: 400, message: `bad: ${secret}` },
    { kind: 'status', status: 401, message: `bad key ${providerKey}` },
    { kind: 'content', content: `${secret} as an answer` },
    { kind: 'raw', status: 400, body: `<html>${secret}</html>` },
  ] as const) {
    const undo = app.sandbox.faults.add({ fault, times: 2 });
    await ask(label, { items, options });
    const id = await submitTexts(app, [secret], { headers: anna });
    await ask('mutation($id: ID!) { cancelBatch(id: $id) { batch { id } } }', { id });
    await untilEnded(app, id, anna);
    undo();
  }
  await ask(submitMutation, {
    input: {
      operation: { label: options },
      source: { items },
      name: `${secret} name`,
      idempotencyKey: `${secret} once`,
    },
  });

  const all = logged.join('');
  expect(all).not.toContain(secret);
  expect(all).not.toContain(key);
  expect(all).not.toContain(providerKey);
  expect(all).not.toContain('wrong-key');
  expect(all).not.toMatch(/select |insert into/i);
});

it('a client that goes in the middle of its body is no failure of ours', async () => {
  const { hostname, port } = new URL(app.url);
  const before = logged.length;
  const socket = connect(Number(port), hostname).resume();
  const head = `POST /graphql HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: ${anna.authorization}`;

  socket.end(`${head}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"query"`);
  await once(socket, 'close');
  await post(app, { query: '{ __typename }' }, anna);

  const warnings = logged.slice(before).filter((line) => JSON.parse(line).level >= 40);
  expect(warnings).toEqual([]);
});
