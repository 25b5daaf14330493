/** A form that starts work on a file of which rows were refused. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { caseText } from '../graphql/case-support.ts';
import { untilEnded } from '../graphql/support.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const blankRows = caseText('blank-rows.csv');
const refusedRow = caseText('refused-row.csv');
const label = { operation: 'label', categories: 'positive,negative' };

async function send(
  fields: Record<string, string>,
  { body = refusedRow, name = 'reviews.csv', place = 'before' } = {},
) {
  const form = new FormData();
  if (place === 'behind') form.set('file', new Blob([body]), name);
  for (const [field, value] of Object.entries(fields)) form.set(field, value);
  if (place === 'before') form.set('file', new Blob([body]), name);
  const response = await fetch(`${app.url}/files`, { method: 'POST', body: form });
  return { status: response.status, body: (await response.json()) as Record<string, any> };
}

async function read(id: string) {
  const { data } = await app.graphql(
    'query ($id: ID!) { batch(id: $id) { status usage { requests } counts { total succeeded } items { edges { node { row customId } } } } }',
    { id },
  );
  return data?.batch;
}

const toldRefusal = expect.stringMatching(/^1 row was refused.*startBatch.*onRejected=continue/);

describe('a form whose file lost a row', () => {
  it.each(['before', 'behind'])(
    'with fields %s the file makes a draft, and says how it starts',
    async (place) => {
      const { status, body } = await send({ ...label, content_field: 'review' }, { place });

      expect(status).toBe(201);
      expect(body).toMatchObject({
        batchId: expect.stringMatching(/^batch_/),
        started: false,
        itemCount: 3,
        rejectedCount: 1,
        rejections: [{ row: 2 }],
      });
      expect(body.warnings).toContainEqual(toldRefusal);
      expect(await read(body.batchId)).toMatchObject({
        status: 'DRAFT',
        usage: { requests: 0 },
        counts: { total: 3 },
      });

      await app.graphql('mutation ($id: ID!) { startBatch(id: $id) { batch { id } } }', {
        id: body.batchId,
      });
      expect(await untilEnded(app, body.batchId)).toMatchObject({ counts: { succeeded: 3 } });
      expect((await read(body.batchId)).items.edges[1].node).toEqual({ row: 3, customId: '2' });
    },
  );

  it.each([
    { onRejected: 'continue' },
    { on_rejected: 'CONTINUE' },
    { options: '{"on_rejected": "continue"}' },
  ] as Record<string, string>[])('starts with %j', async (field) => {
    const { status, body } = await send({ ...label, ...field });

    expect([status, body.started]).toEqual([201, true]);
    expect(body.warnings).not.toContainEqual(toldRefusal);
    expect(await untilEnded(app, body.batchId)).toMatchObject({ status: 'COMPLETED' });
  });

  it.each([
    ['autoStart true', { auto_start: 'true' }],
    ['onRejected draft', { onRejected: 'draft' }],
  ])('makes a draft with %s too', async (_name, field) => {
    const { body } = await send({ ...label, ...field });

    expect([body.started, (await read(body.batchId)).status]).toEqual([false, 'DRAFT']);
    expect(body.warnings).toContainEqual(toldRefusal);
  });

  it('makes a draft of requests for chat', async () => {
    const line = '{"custom_id": "a", "body": {"messages": [{"role": "user", "content": "hi"}]}}\n';
    const { body } = await send(
      { operation: 'chat' },
      { name: 'x.jsonl', body: `${line}{"custom_id": "b", "body": 5}\n` },
    );

    expect([body.rejectedCount, body.started]).toEqual([1, false]);
    expect((await read(body.batchId)).status).toBe('DRAFT');
  });

  it('is told what onRejected takes', async () => {
    const { status, body } = await send({ ...label, onRejected: 'ignore' });

    expect(status).toBe(400);
    expect(body.error.issues).toEqual([
      { path: 'onRejected', message: expect.stringContaining('DRAFT, CONTINUE') },
    ]);
  });
});

describe('a form whose file has blank rows', () => {
  it('starts its batch, and sends nothing for them', async () => {
    app.sandbox.requests.clear();
    const { body } = await send(label, { name: 'blank-rows.csv', body: blankRows });

    expect(body).toMatchObject({
      started: true,
      itemCount: 2,
      blankCount: 3,
      rejectedCount: 0,
      customIdField: 'id',
    });
    await untilEnded(app, body.batchId);
    expect(await read(body.batchId)).toMatchObject({
      status: 'COMPLETED',
      usage: { requests: 2 },
      items: {
        edges: [{ node: { row: 1, customId: '1' } }, { node: { row: 2, customId: '2' } }],
      },
    });
    expect(app.sandbox.requests.count).toBe(2);
  });

  it.each([
    ['x.csv', 'text,stars\nI love it,1\n,\nWorst ever,2\n'],
    ['x.csv', 'text\nI love it\n \nWorst ever\n'],
    ['x.txt', 'I love it\n\t\nWorst ever\n'],
    ['x.jsonl', '{"text": "I love it"}\n\n{"text": "Worst ever"}\n'],
  ])('counts them in the numbers and ids of the others: %s %j', async (name, body) => {
    const answer = await send(label, { name, body });

    expect(answer.body).toMatchObject({ started: true, rejectedCount: 0 });
    expect((await read(answer.body.batchId)).items.edges).toEqual([
      { node: { row: 1, customId: '0' } },
      { node: { row: 3, customId: '2' } },
    ]);
  });
});

describe('a form whose file lost nothing', () => {
  it('starts its batch', async () => {
    const { body } = await send(label, { body: 'text\nI love it\nWorst ever\n' });

    expect(body).toMatchObject({ started: true, rejectedCount: 0, warnings: [] });
    expect(await untilEnded(app, body.batchId)).toMatchObject({ status: 'COMPLETED' });
  });

  it('does not where autoStart is false, for no other reason', async () => {
    const { body } = await send(
      { ...label, auto_start: 'false' },
      { body: 'text\nI love it\nWorst ever\n' },
    );

    expect(body).toMatchObject({ started: false, warnings: [] });
  });

  it('says nothing of a start where no batch is asked for', async () => {
    const { body } = await send({});

    expect(body.rejectedCount).toBe(1);
    expect(body).not.toHaveProperty('started');
    expect(body).not.toHaveProperty('batchId');
  });
});

it('submitBatch over a file that lost rows starts, since its upload told of them', async () => {
  const { body } = await send({});
  const { data } = await app.graphql(
    'mutation ($id: ID!) { submitBatch(input: { operation: { summarize: {} }, source: { fileId: $id } }) { batch { id } } }',
    { id: body.id },
  );

  expect(await untilEnded(app, data?.submitBatch.batch.id)).toMatchObject({ status: 'COMPLETED' });
});
