/** Templates over files: what may stand in one, and which names it can use. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { untilEnded } from '../graphql/support.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const doubleBraces = await readFile(
  new URL('../../cases/double-braces.csv', import.meta.url),
  'utf8',
);

async function upload(name: string, body: string, query = ''): Promise<string> {
  const response = await fetch(`${app.url}/files?name=${name}${query}`, { method: 'POST', body });
  return ((await response.json()) as { id: string }).id;
}

const categories = ['positive', 'negative'];

async function submit(
  fileId: string,
  userPromptTemplate: string,
  input: Record<string, unknown> = {},
) {
  return await app.graphql(
    'mutation ($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }',
    {
      input: {
        operation: { label: { categories, userPromptTemplate } },
        source: { fileId },
        ...input,
      },
    },
  );
}

/** The user messages that a batch sends. */
async function messagesOf(fileId: string, template: string, input: Record<string, unknown> = {}) {
  const { data, errors } = await submit(fileId, template, input);
  expect(errors).toBeUndefined();
  const id: string = data?.submitBatch.batch.id;
  await untilEnded(app, id);
  const found = await app.graphql(
    'query ($id: ID!) { batch(id: $id) { items { edges { node { request error { code } } } } } }',
    { id },
  );
  return found.data?.batch.items.edges.map(
    ({ node }: { node: { request: { messages: { content: string }[] } | null } }) =>
      node.request?.messages.at(-1)?.content,
  );
}

async function beside(file: string, fields: Record<string, string>) {
  const form = new FormData();
  form.set('file', new Blob([file]), 'texts.csv');
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  const response = await fetch(`${app.url}/files`, { method: 'POST', body: form });
  return { status: response.status, body: (await response.json()) as Record<string, any> };
}

describe('a template that names nothing of the item', () => {
  const labelled = { operation: 'label', categories: categories.join() };

  it.each([
    [
      'Classify: {{content}}',
      'must not have {{content}}, which is sent as {content} for every item',
    ],
    ['Classify: {{ content }}', 'must not have {{ content }}'],
    ['Classify: {{ input.text }}', 'must not have {{ input.text }}'],
    ['Classify: {{input.text}} of {content}', 'must not have {{input.text}}'],
    ['{content}: {{text}}', 'must not have {{text}}'],
    ['{content}: {{ anything }}', 'must not have {{ anything }}'],
    ['{{content | upper}}', 'must not have {{content | upper}}'],
    ['{{ row["text"] }} {content}', 'must not have {{ row["text"] }}'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: written for another tool
    ['Classify: ${content}', 'must not have ${content}, which is sent with the $'],
    ['Classify this', 'must name a field of the item'],
    ['{{"a": 1}}', 'must name a field of the item'],
    [' ', 'must name a field of the item'],
  ])('%j beside a file is refused', async (user_prompt_template, message) => {
    const { status, body } = await beside(doubleBraces, { ...labelled, user_prompt_template });

    expect([status, body.error.code]).toEqual([400, 'BAD_USER_INPUT']);
    expect(body.error.issues).toEqual([
      { path: 'userPromptTemplate', message: expect.stringContaining(message) },
    ]);
    expect(body.error.issues[0].message).toContain('{content}');
    expect(body.error.issues[0].message).toContain('{{');
    expect(body.batchId).toBeUndefined();
  });

  it('is refused by submitBatch and by synchronous mutations too', async () => {
    const fileId = await upload('texts.csv', 'text,title\na,b\n');
    const one = (userPromptTemplate: string, metadata: object) =>
      app.graphql(
        'mutation ($o: SummarizeOptions!, $i: [ItemInput!]!) { summarize(items: $i, options: $o) { model } }',
        { o: { userPromptTemplate }, i: [{ content: 'a', metadata }] },
      );
    const answers = [
      await submit(fileId, '{content} {{title}}'),
      await submit(fileId, 'Classify: {{content}}'),
      await submit(fileId, '{title} ', { source: { texts: ['a'] } }),
      await one('{content} {{title}}', { title: 'b' }),
      await one('Summarize', {}),
    ];

    expect(answers.map(({ errors }) => errors?.[0]?.extensions.issues[0])).toEqual([
      {
        path: 'input.operation.label.userPromptTemplate',
        message: expect.stringContaining('must not have {{title}}'),
      },
      {
        path: 'input.operation.label.userPromptTemplate',
        message: expect.stringContaining('must not have {{content}}'),
      },
      {
        path: 'input.operation.label.userPromptTemplate',
        message: expect.stringContaining('must name fields of the items, not {title}'),
      },
      {
        path: 'options.userPromptTemplate',
        message: expect.stringContaining('must not have {{title}}'),
      },
      { path: 'options.userPromptTemplate', message: expect.stringContaining('must name a field') },
    ]);
  });

  it('is no template with doubled braces around something else', async () => {
    const fileId = await upload('texts.csv', 'text,title\na,b\n');

    expect(
      await messagesOf(
        fileId,
        '{{"a": 1}} {{yes|no}} {{}} {{other}} {{{content}}} {{"text": "{title}"}} {{{{content}}}}',
      ),
    ).toEqual(['{"a": 1} {yes|no} {} {other} {a} {"text": "b"} {{content}}']);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a price
    expect(await messagesOf(fileId, '{content} at ${title}')).toEqual(['a at $b']);
  });
});

describe('the columns of the text and of the id', () => {
  it.each([
    ['x.csv', 'ref,body,n\nr-1,hello,1\n'],
    ['x.jsonl', '{"ref": "r-1", "body": "hello", "n": 1}\n'],
    ['x.json', '[{"ref": "r-1", "body": "hello", "n": 1}]'],
  ])('are placeholders by their own names in %s', async (name, body) => {
    const fileId = await upload(name, body, '&contentField=body&customIdField=ref');

    expect(await messagesOf(fileId, '{ref}: {body} {content} {n}')).toEqual(['r-1: hello hello 1']);
  });

  it('are so by the names that they have by default, in a form too', async () => {
    const { status, body } = await beside('id,text\n7,hello\n', {
      operation: 'summarize',
      user_prompt_template: '{id}) {text}',
    });
    const { data } = await app.graphql(
      'query ($id: ID!) { batch(id: $id) { items { edges { node { request } } } } }',
      { id: body.batchId },
    );

    expect([status, data?.batch.items.edges[0].node.request.messages.at(-1).content]).toEqual([
      201,
      '7) hello',
    ]);
  });

  it('are those that a batch reads by, and keep the id as it stands in the file', async () => {
    const fileId = await upload('x.csv', 'id,text,title\n7,hello,Hi\n');

    expect(
      await messagesOf(fileId, '{title}|{text}|{id}', {
        contentField: 'title',
        customIdField: 'text',
        customIdPrefix: 'p-',
      }),
    ).toEqual(['Hi|hello|7']);
  });

  it('are not what doubled braces stand for', async () => {
    const fileId = await upload(
      'x.csv',
      'ref,body,n\n1,hello,1\n',
      '&contentField=body&customIdField=ref',
    );

    for (const template of ['{content} {{body}}', '{content} {{ref}}']) {
      expect((await submit(fileId, template)).errors?.[0]?.extensions.issues[0].message).toContain(
        'which is sent as',
      );
    }
  });

  it('give way to a metadata field of their name', async () => {
    app.sandbox.requests.keep(1);
    const { data } = await app.graphql(
      `mutation { summarize(items: [{ content: "a", metadata: { text: "mine", id: "other" } }], options: { userPromptTemplate: "{text} {id}" }) { results { error { code } summary } } }`,
    );

    expect(data?.summarize.results[0].error).toBeNull();
    const [sent] = app.sandbox.requests.journal as unknown as readonly {
      body: { messages: { content: string }[] };
    }[];
    expect(sent?.body.messages.at(-1)?.content).toBe('mine other');
  });
});
