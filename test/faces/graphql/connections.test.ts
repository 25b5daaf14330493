/** Lists as Relay connections, and what happens to a batch between its submit and its end. */
import { getNamedType, isInterfaceType, isLeafType, isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../../src/faces/graphql/schema.ts';
import { type App, startApp } from '../../support/app.ts';
import { type Data, labelOptions, submitMutation, submitTexts, untilEnded } from './support.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

interface Page {
  totalCount: number;
  edges: { cursor: string; node: Data }[];
  pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
}

const pageFields =
  'totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node';

/**
 * Reads a whole list page by page in one direction, and checks the pages' own account of
 * themselves.
 */
async function walk(
  read: (args: Record<string, unknown>) => Promise<Page>,
  direction: 'forwards' | 'backwards',
  size: number,
): Promise<Data[]> {
  const all: Data[] = [];
  let cursor: string | null = null;
  for (;;) {
    const page: Page = await read(
      direction === 'forwards' ? { first: size, after: cursor } : { last: size, before: cursor },
    );
    const nodes = page.edges.map(({ node }) => node);
    const { hasNextPage, hasPreviousPage, startCursor, endCursor } = page.pageInfo;
    expect([startCursor, endCursor]).toEqual([
      page.edges.at(0)?.cursor ?? null,
      page.edges.at(-1)?.cursor ?? null,
    ]);
    if (direction === 'forwards') all.push(...nodes);
    else all.unshift(...nodes);
    expect(direction === 'forwards' ? hasPreviousPage : hasNextPage).toBe(cursor !== null);
    const more = direction === 'forwards' ? hasNextPage : hasPreviousPage;
    expect(more).toBe(all.length < page.totalCount);
    if (!more) return all;
    expect(nodes).toHaveLength(size);
    cursor = direction === 'forwards' ? endCursor : startCursor;
  }
}

describe('items', () => {
  const size = 95;
  let id: string;
  beforeAll(async () => {
    const stop = app.sandbox.faults.add({
      fault: { kind: 'refusal' },
      when: ({ text }) => Number(text.slice('thing '.length)) % 3 === 0,
    });
    const { data } = await app.graphql(submitMutation, {
      input: {
        operation: { label: labelOptions },
        source: {
          items: Array.from({ length: size }, (_, index) => ({
            content: `thing ${index}`,
            customId: `c${index}`,
          })),
        },
      },
    });
    id = data?.submitBatch.batch.id;
    await untilEnded(app, id);
    stop();
  });

  const read =
    (more = '', fields = '{ index status }') =>
    async (args: Record<string, unknown>) => {
      const { data, errors } = await app.graphql(
        `query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
        batch(id: $id) { items(first: $first, after: $after, last: $last, before: $before ${more}) { ${pageFields} ${fields} } } }
      }`,
        { id, ...args },
      );
      expect(errors).toBeUndefined();
      return data?.batch.items as Page;
    };

  it.each([
    ['forwards', 10],
    ['forwards', 95],
    ['forwards', 19],
    ['backwards', 10],
    ['backwards', 19],
    ['backwards', 1_000],
  ] as const)('pages %s of %i join without loss, in input order', async (direction, pageSize) => {
    const all = await walk(read(), direction, pageSize);

    expect(all.map(({ index }) => index)).toEqual([...Array(size).keys()]);
  });

  it.each(['forwards', 'backwards'] as const)(
    'filters leave the right ones, and totalCount counts them: %s',
    async (direction) => {
      const failed = await walk(read(', status: [FAILED]'), direction, 7);
      const refused = await walk(read(', errorCodes: [REFUSED, TIMEOUT]'), direction, 7);
      const picked = await walk(read(', customIds: ["c90", "c4", "c3", "none"]'), direction, 2);
      const both = await walk(read(', status: [SUCCEEDED], customIds: ["c4", "c3"]'), direction, 7);

      expect(failed.map(({ index }) => index)).toEqual(
        [...Array(size).keys()].filter((index) => index % 3 === 0),
      );
      expect(refused).toEqual(failed);
      expect(picked.map(({ index }) => index)).toEqual([3, 4, 90]);
      expect(both.map(({ index }) => index)).toEqual([4]);
      expect(await walk(read(', status: []'), direction, 7)).toEqual([]);
      expect(await walk(read(', status: [PENDING]'), direction, 7)).toEqual([]);
    },
  );

  it('without a size a page has 50, and bounds on both sides hold', async () => {
    const page = await read()({});
    const between = await read()({ after: '10', before: '20', first: 5 });
    const lastOf = await read()({ after: '10', before: '20', last: 5 });

    expect(page.edges).toHaveLength(50);
    expect(page.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    expect(between.edges.map(({ node }) => node.index)).toEqual([11, 12, 13, 14, 15]);
    expect(lastOf.edges.map(({ node }) => node.index)).toEqual([15, 16, 17, 18, 19]);
  });

  it('an item is the same through node(id), and knows its batch', async () => {
    const fields =
      '{ id index customId content status output result { ... on LabelResult { label customId } } batch { id } attempts }';
    const { edges } = await read('', fields)({ first: 3 });

    for (const { node: item } of edges) {
      const { data } = await app.graphql(
        `query($id: ID!) { node(id: $id) { __typename ... on BatchItem ${fields} } }`,
        { id: item.id },
      );
      expect(data?.node).toEqual({ __typename: 'BatchItem', ...item });
      expect(item.batch.id).toBe(id);
    }
    const { data } = await app.graphql(
      'query($id: ID!) { node(id: $id) { __typename id ... on Batch { counts { total } } } }',
      { id },
    );
    expect(data?.node).toEqual({ __typename: 'Batch', id, counts: { total: size } });
    const beyond = `item_${id.slice('batch_'.length)}_${size}`;
    expect(
      (await app.graphql('query($id: ID!) { node(id: $id) { id } }', { id: beyond })).data,
    ).toEqual({ node: null });
  });
});

describe('batches', () => {
  let ids: string[];
  beforeAll(async () => {
    ids = [];
    for (let index = 0; index < 23; index += 1) {
      ids.push(
        await submitTexts(app, ['x'], {
          autoStart: false,
          name: `List ${index % 2 ? 'odd' : 'even'} 100%_${index}`,
        }),
      );
    }
  });

  const read = (filter: string) => async (args: Record<string, unknown>) => {
    const { data, errors } = await app.graphql(
      `query($first: Int, $after: String, $last: Int, $before: String) {
        batches(first: $first, after: $after, last: $last, before: $before, filter: ${filter}) { ${pageFields} { id createdAt } } }
      }`,
      args,
    );
    expect(errors).toBeUndefined();
    return data?.batches as Page;
  };

  it.each([
    ['forwards', 5],
    ['forwards', 23],
    ['backwards', 5],
    ['backwards', 23],
  ] as const)('pages %s of %i join without loss, newest first', async (direction, size) => {
    const all = await walk(read('{name: "list"}'), direction, size);

    expect(all.map(({ id }) => id)).toEqual(ids.toReversed());
  });

  it('a new batch does not disturb a walk that has begun', async () => {
    const filter = '{name: "List"}';
    const { pageInfo, edges } = await read(filter)({ first: 10 });

    const late = await submitTexts(app, ['x'], { autoStart: false, name: 'List, later' });
    const rest = await read(filter)({ first: 100, after: pageInfo.endCursor });
    await app.graphql('mutation($id: ID!) { cancelBatch(id: $id) { batch { id } } }', { id: late });

    expect([...edges, ...rest.edges].map(({ node }) => node.id)).toEqual(ids.toReversed());
  });

  it('filters hold together: status, operation, name as text, and instants', async () => {
    const count = async (filter: string) => (await read(filter)({ first: 1 })).totalCount;
    const newest = (await read('{name: "100%_22"}')({})).edges[0]?.node.createdAt;

    expect(await count('{name: "ODD"}')).toBe(11);
    expect(await count('{name: "%_1"}')).toBe(11); // 1 and 10 to 19, as text and not as a pattern
    expect(await count('{name: "l_st"}')).toBe(0);
    expect(await count('{name: "odd", status: [DRAFT, QUEUED]}')).toBe(11);
    expect(await count('{name: "odd", status: [COMPLETED]}')).toBe(0);
    expect(await count('{name: "odd", operation: [LABEL]}')).toBe(11);
    expect(await count('{name: "odd", operation: [RUN, EXTRACT]}')).toBe(0);
    expect(await count(`{name: "List e", createdAfter: "${newest}"}`)).toBe(1);
    expect(await count(`{name: "100%", createdBefore: "${newest}"}`)).toBe(23);
    expect(await count('{createdBefore: "2020-01-01T00:00:00Z"}')).toBe(0);
  });

  it('a name is found however its accents are written', async () => {
    const draft = { autoStart: false };
    const first = await submitTexts(app, ['x'], { ...draft, name: 'Cafe\u0301, first' });
    const second = await submitTexts(app, ['x'], { ...draft, name: 'Caf\u00e9, second' });
    const named = async (name: string) =>
      (await read(`{name: ${JSON.stringify(name)}}`)({})).edges.map(({ node }) => node.id);

    expect(await named('CAF\u00c9')).toEqual([second, first]);
    expect(await named('cafe\u0301')).toEqual([second, first]);
  });
});

describe('cost', () => {
  it('a page of 1,000 items with every field is within it, pages of pages are not', async () => {
    const id = await submitTexts(
      app,
      Array.from({ length: 1_000 }, (_, index) => `thing ${index}`),
    );
    await untilEnded(app, id);
    const item = everyField('BatchItem', ['Projection']);
    const batch = everyField('Batch', ['Projection']);

    const items = await app.graphql(
      `query($id: ID!) { batch(id: $id) { items(first: 1000) { ${pageFields} ${item} } } } }`,
      { id },
    );
    const batches = await app.graphql(`{ batches(first: 1000) { ${pageFields} ${batch} } } }`);
    const nested = await app.graphql(
      `{ batches(first: 1000) { edges { node { items(first: 1000) { edges { node { id } } } } } } }`,
    );

    expect(items.errors).toBeUndefined();
    expect(items.data?.batch.items.edges).toHaveLength(1_000);
    expect(items.data?.batch.items.edges[999].node.result).toMatchObject({
      __typename: 'LabelResult',
      LabelResult_index: 999,
    });
    expect(batches.errors).toBeUndefined();
    expect(nested.errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      issues: [
        {
          path: 'batches',
          message: expect.stringMatching(
            /must cost at most 300000, not \d+; ask for smaller pages, fewer fields or smaller schemas/,
          ),
        },
      ],
    });
  });
});

/** Fields that read something of their own for each entry, and cost accordingly. */
const readApart = [
  'ModelQuote.firstRequest',
  'File.sample',
  'Batch.confidence',
  'Batch.labels',
  'Batch.medianConfidence',
  'Batch.timeline',
];

/**
 * A selection of everything that a type has, down to the leaves; connections, what is read apart
 * and the types in `without` are left out.
 */
function everyField(name: string, without: string[]): string {
  const type = schema.getType(name);
  if (isInterfaceType(type)) {
    const parts = schema
      .getPossibleTypes(type)
      .map((one) => `... on ${one.name} ${everyField(one.name, without)}`);
    return `{ __typename ${parts.join(' ')} }`;
  }
  if (!isObjectType(type)) throw new Error(`${name} has no fields`);
  const fields = Object.values(type.getFields()).flatMap((field) => {
    if (readApart.includes(`${name}.${field.name}`)) return [];
    const of = getNamedType(field.type);
    // Results have fields of one name and different types.
    if (isLeafType(of)) return [`${name}_${field.name}: ${field.name}`];
    return of.name.endsWith('Connection') || without.includes(of.name)
      ? []
      : [`${field.name} ${everyField(of.name, [...without, name])}`];
  });
  return `{ ${fields.join(' ')} }`;
}

describe('submitBatch', () => {
  const submit = (input: Record<string, unknown>) =>
    app.graphql(
      `mutation($input: SubmitBatchInput!) { submitBatch(input: $input) { batch {
        id operation options model status progress name metadata execution createdAt startedAt completedAt expiresAt error errorCode
        errorSummary { code } resentRequests counts { total pending } usage { requests } } } }`,
      {
        input: { operation: { label: labelOptions }, source: { texts: ['good', 'bad'] }, ...input },
      },
    );

  it('answers at once with everything that was given', async () => {
    const { data, errors } = await submit({
      name: 'A name',
      metadata: { a: [1, null] },
      autoStart: false,
    });

    expect(errors).toBeUndefined();
    expect(data?.submitBatch.batch).toMatchObject({
      id: expect.stringMatching(/^batch_[0-9a-z]{25}$/),
      operation: 'LABEL',
      options: { categories: labelOptions.categories },
      model: 'test/rules',
      status: 'DRAFT',
      progress: 0,
      name: 'A name',
      metadata: { a: [1, null] },
      execution: 'LIVE',
      startedAt: null,
      completedAt: null,
      error: null,
      errorCode: null,
      errorSummary: [],
      resentRequests: 0,
      counts: { total: 2, pending: 2 },
      usage: { requests: 0 },
    });
  });

  it('a draft waits for startBatch; what has begun is returned as it is', async () => {
    const { data } = await submit({ autoStart: false });
    const id: string = data?.submitBatch.batch.id;
    const start = () =>
      app.graphql('mutation($id: ID!) { startBatch(id: $id) { batch { id status } } }', { id });
    const before = app.sandbox.requests.count;

    expect((await start()).data?.startBatch.batch.id).toBe(id);
    expect((await untilEnded(app, id)).counts.succeeded).toBe(2);
    expect((await start()).data?.startBatch.batch).toEqual({ id, status: 'COMPLETED' });
    expect(app.sandbox.requests.count).toBe(before + 2);
  });

  it('a draft that is cancelled is CANCELLED with all its items, and stays so', async () => {
    const { data } = await submit({ autoStart: false });
    const id: string = data?.submitBatch.batch.id;
    const cancel = () =>
      app.graphql(
        'mutation($id: ID!) { cancelBatch(id: $id) { batch { status counts { cancelled } cancelInitiatedAt } } }',
        { id },
      );

    const first = (await cancel()).data?.cancelBatch.batch;
    await app.graphql('mutation($id: ID!) { startBatch(id: $id) { batch { id } } }', { id });

    expect(first).toMatchObject({ status: 'CANCELLED', counts: { cancelled: 2 } });
    expect((await cancel()).data?.cancelBatch.batch).toEqual(first);
  });

  it('under one idempotency key the same input is the same batch, another input a conflict', async () => {
    const input = {
      idempotencyKey: 'once',
      metadata: { a: 1, b: { c: 1, d: 2 } },
      autoStart: false,
    };
    const first = await submit(input);
    const again = await submit({ ...input, metadata: { b: { d: 2, c: 1 }, a: 1 } });

    expect(again.data?.submitBatch.batch.id).toBe(first.data?.submitBatch.batch.id);
    for (const other of [
      { source: { texts: ['good'] } },
      { source: { texts: ['bad', 'good'] } },
      { operation: { label: { categories: ['a', 'b'] } } },
      { operation: { label: { ...labelOptions, temperature: 1 } } },
      { name: 'another' },
      { metadata: null },
      { autoStart: true },
      { expiresInSeconds: 60 },
    ]) {
      const { errors } = await submit({ ...input, ...other });
      expect([other, errors?.[0]?.extensions.code]).toEqual([other, 'IDEMPOTENCY_CONFLICT']);
    }
  });

  it('twenty at once under one idempotency key make one batch', async () => {
    const before = (await app.graphql('{ batches { totalCount } }')).data?.batches.totalCount;

    const answers = await Promise.all(
      Array.from({ length: 20 }, () => submit({ idempotencyKey: 'twenty', autoStart: false })),
    );

    expect(answers.flatMap(({ errors }) => errors ?? [])).toEqual([]);
    expect(new Set(answers.map(({ data }) => data?.submitBatch.batch.id)).size).toBe(1);
    expect((await app.graphql('{ batches { totalCount } }')).data?.batches.totalCount).toBe(
      before + 1,
    );
  });

  it('is found by its idempotency key, until a deletion frees the key', async () => {
    const find = async (idempotencyKey: string) => {
      const { data } = await app.graphql(
        'query($filter: BatchFilter) { batches(filter: $filter) { totalCount edges { node { id } } } }',
        { filter: { idempotencyKey } },
      );
      return data?.batches.edges.map(({ node }: Data) => node.id);
    };
    const { data } = await submit({ idempotencyKey: 'findable', autoStart: false });
    const id: string = data?.submitBatch.batch.id;

    expect(await find('findable')).toEqual([id]);
    expect(await find('findabl')).toEqual([]);
    await app.graphql('mutation($id: ID!) { deleteBatch(id: $id) { deletedId } }', { id });
    expect(await find('findable')).toEqual([]);
  });

  it('expires when its time is over, and says before when that will be', async () => {
    const short = await submit({ expiresInSeconds: 1, autoStart: false });
    const long = await submit({ autoStart: false });
    const seconds = ({ data }: typeof short) => {
      const batch: Data = data?.submitBatch.batch;
      return (Date.parse(batch.expiresAt) - Date.parse(batch.createdAt)) / 1_000;
    };

    expect(seconds(short)).toBe(1);
    expect(seconds(long)).toBe(24 * 60 * 60);
    expect(await untilEnded(app, short.data?.submitBatch.batch.id)).toMatchObject({
      status: 'EXPIRED',
      progress: 1,
      counts: { total: 2, expired: 2 },
    });
  });

  it('a wrong key stops the batch with a reason, and leaves the rest pending', async () => {
    const undo = app.sandbox.faults.add({ fault: { kind: 'status', status: 401, message: 'no' } });
    const { data } = await submit({});
    const id: string = data?.submitBatch.batch.id;

    const ended = await untilEnded(app, id);
    undo();
    const { data: told } = await app.graphql(
      'query($id: ID!) { batch(id: $id) { error errorCode } }',
      { id },
    );

    expect(ended).toMatchObject({ status: 'FAILED', counts: { total: 2, pending: 2, failed: 0 } });
    expect(told?.batch).toEqual({ errorCode: 'INVALID_KEY', error: expect.stringMatching(/\w/) });
  });
});
