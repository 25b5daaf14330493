/**
 * A fault of Winnow's own, planted in an operation: it is called that, and ends its item alone, on
 * every road.
 */
import { Writable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { label } from '../../../src/operations/label.ts';
import { type Sandbox, startFaultySandbox } from '../../../src/sandbox/faults/sandbox.ts';
import { providerJobEnv } from '../../engine/provider-jobs/support.ts';
import { type App, startApp } from '../../support/app.ts';
import { type Data, labelOptions, submitTexts, untilEnded } from './support.ts';

let app: App;
let sandbox: Sandbox;
let logged: string;
beforeAll(async () => {
  sandbox = await startFaultySandbox();
  const logTo = new Writable({
    write(chunk, _encoding, done) {
      logged += String(chunk);
      done();
    },
  });
  logged = '';
  app = await startApp(providerJobEnv(sandbox, { LOG_LEVEL: 'error' }), { sandbox, logTo });
});
afterAll(async () => {
  await app.stop();
  await sandbox.close();
});
beforeEach(() => {
  logged = '';
  const { prepare } = label;
  vi.spyOn(label, 'prepare').mockImplementation((params) => {
    const prepared = prepare(params);
    return {
      ...prepared,
      messages(item) {
        if (item.content === 'broken prompt') throw new TypeError('planted in the prompt');
        return prepared.messages(item);
      },
      parse(answer) {
        if (answer.text.includes('broken answer')) throw new TypeError('planted in the answer');
        return prepared.parse(answer);
      },
    };
  });
  sandbox.faults.add({
    fault: { kind: 'content', content: '{"label": "broken answer"}' },
    when: ({ body }) => JSON.stringify(body).includes('breaks'),
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  sandbox.faults.clear();
});

const texts = ['fine', 'broken prompt', 'breaks', 'good'];
const internal = {
  code: 'INTERNAL',
  message: 'Winnow failed on this item; the server log has the details',
};
const errors = [null, internal, internal, null];

describe('an item that Winnow fails on', () => {
  it('is INTERNAL in a synchronous answer, and its neighbours have theirs', async () => {
    const { data } = await app.graphql(
      `mutation($items: [ItemInput!]!, $options: LabelOptions!) { label(items: $items, options: $options) {
        results { error { code message } usage { requests outputTokens } } } }`,
      { items: texts.map((content) => ({ content })), options: labelOptions },
    );

    const results: Data[] = data?.label.results;
    expect(results.map(({ error }) => error)).toEqual(errors);
    expect(results.map(({ usage }) => usage.requests)).toEqual([1, 0, 1, 1]);
    expect(results[2]?.usage.outputTokens).toBeGreaterThan(0);
    expect(logged).toContain('planted in the prompt');
    expect(logged).toContain('planted in the answer');
  });

  it.each([
    ['LIVE', 'test/rules'],
    ['PROVIDER_BATCH', 'test/rules'],
    ['PROVIDER_BATCH', 'anthropic/rules'],
  ])('is INTERNAL in a batch %s of %s, which goes on', async (execution, model) => {
    const operation = { label: { ...labelOptions, model } };
    const id = await submitTexts(app, texts, { execution, operation });

    expect(await untilEnded(app, id)).toMatchObject({
      status: 'COMPLETED',
      counts: { succeeded: 2, failed: 2 },
    });
    const { data } = await app.graphql(
      'query($id: ID!) { batch(id: $id) { errorSummary { code count } items { edges { node { error { code message } usage { requests } } } } } }',
      { id },
    );
    const nodes: Data[] = data?.batch.items.edges.map(({ node }: Data) => node);
    expect(nodes.map(({ error }) => error)).toEqual(errors);
    expect(nodes.map(({ usage }) => usage.requests)).toEqual([1, 0, 1, 1]);
    expect(data?.batch.errorSummary).toEqual([{ code: 'INTERNAL', count: 2 }]);
    expect(logged).toContain('planted in the answer');
  });

  it('is INTERNAL where its repair fails so, in a provider job', async () => {
    sandbox.faults.clear();
    sandbox.faults.add({
      fault: { kind: 'content', content: '{"label": "neither"}' },
      when: ({ body, batchId }) => batchId !== null && JSON.stringify(body).includes('breaks'),
    });
    sandbox.faults.add({
      fault: { kind: 'content', content: '{"label": "broken answer"}' },
      when: ({ body, batchId }) => batchId === null && JSON.stringify(body).includes('breaks'),
    });
    const id = await submitTexts(app, ['fine', 'breaks'], { execution: 'PROVIDER_BATCH' });

    expect(await untilEnded(app, id)).toMatchObject({ status: 'COMPLETED' });
    const { data } = await app.graphql(
      'query($id: ID!) { batch(id: $id) { items { edges { node { error { code } rejectedAnswer } } } } }',
      { id },
    );
    expect(data?.batch.items.edges[1].node).toMatchObject({ error: { code: 'INTERNAL' } });
  });
});
