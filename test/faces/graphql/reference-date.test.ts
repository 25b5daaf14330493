/**
 * "By next Friday" becomes a date where it is known when the text was written, and null where it is
 * not.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issuesOf, type Sending, startSending } from './sent.ts';
import { labelOptions, untilEnded } from './support.ts';

const operations = [
  ['label', labelOptions, { label: 'praise', confidence: 1 }],
  ['extract', { schema: { due: 'date' } }, { due: null }],
  ['enrich', { fields: [{ name: 'due', type: 'DATE' }] }, { due: null }],
  ['summarize', {}, 'Short.'],
  ['run', { instructions: 'Translate.' }, 'Bonjour'],
] as const;
const content = 'Send it by next Friday.';

let sending: Sending;
beforeAll(async () => {
  sending = await startSending();
});
afterAll(() => sending.close());

const messages = (index = 0): { content: string }[] => sending.bodies()[index]?.messages;

describe.each(operations)('%s', (operation, options, answer) => {
  it('with a date says on which day the texts were written, equally for all', async () => {
    sending.answer(answer);

    await sending.run(operation, [{ content }], { ...options, referenceDate: '2026-03-04' });

    const [system, user] = messages();
    expect(system?.content).toContain('The text was written on 2026-03-04, a Wednesday.');
    expect(user?.content).toBe(content);
  });

  it('with a field says it for each item, and keeps the rest of the prompt the same', async () => {
    sending.answer(answer);
    const items = [
      { content, metadata: { sent: '2026-03-04T10:00:00Z' } },
      { content, metadata: { sent: 'Thu, 05 Mar 2026 10:00:00 GMT' } },
    ];

    await sending.run(operation, items, { ...options, referenceDate: '{sent}' });

    const users = sending.bodies().map(({ messages: [, user] }) => user.content);
    expect(users.sort()).toEqual([
      `Written on: 2026-03-04, a Wednesday\n\n${content}`,
      `Written on: 2026-03-05, a Thursday\n\n${content}`,
    ]);
    expect(messages(0)[0]).toEqual(messages(1)[0]);
    expect(messages()[0]?.content).toContain('The line that begins with "Written on:"');
  });

  it('fails an item that has no date there, and no other', async () => {
    sending.answer(answer);
    const dates = ['2026-03-04', undefined, '', null, '04/03/2026', 'soon', 20_260_304];
    const items = dates.map((sent) => ({ content, metadata: sent === undefined ? {} : { sent } }));

    const results = await sending.batch(
      operation,
      { items },
      { ...options, referenceDate: '{sent}' },
    );

    expect(results.map(({ error }) => error?.code ?? null)).toEqual([
      null,
      ...Array(6).fill('TEMPLATE_FIELD_MISSING'),
    ]);
    expect(results[1]?.error.message).toContain('"sent"');
    expect(results[4]?.error.message).toContain('must hold one date, best as YYYY-MM-DD');
    expect(sending.bodies()).toHaveLength(1);
  });

  it('without one never names a day', async () => {
    sending.answer(answer);

    await sending.run(operation, [{ content }], options);

    expect(JSON.stringify(messages())).not.toMatch(/\b20\d\d-\d\d-\d\d\b/);
  });
});

it.each(['extract', 'enrich'] as const)(
  '%s without one gives null for a relative date',
  async (name) => {
    const [, options, answer] = operations.find(([operation]) => operation === name) ?? [];
    sending.answer(answer);

    await sending.run(name, [{ content }], options ?? {});
    await sending.run(name, [{ content }], { ...options, referenceDate: '2026-03-04' });

    expect(messages(0)[0]?.content).toMatch(/A relative date, such as "next Friday", .*null/);
    expect(messages(1)[0]?.content).not.toContain('A relative date');
  },
);

it('comes with a form too, braces and all', async () => {
  sending.answer('Fine.');
  const form = new FormData();
  form.set('operation', 'summarize');
  form.set('reference_date', '{sent}');
  form.set('file', new Blob(['text,sent\nBy next Friday.,2026-03-04\n']), 'rows.csv');

  const response = await fetch(`${sending.app.url}/files`, { method: 'POST', body: form });
  const { batchId } = (await response.json()) as { batchId: string };
  await untilEnded(sending.app, batchId);

  expect(messages()[1]?.content).toBe('Written on: 2026-03-04, a Wednesday\n\nBy next Friday.');
});

it('stands behind a systemPrompt, above what a template makes, and below the context', async () => {
  sending.answer('Fine.');
  const items = [{ content, metadata: { sent: '4.3.2026' } }];

  await sending.run('summarize', items, { systemPrompt: 'Mine.', referenceDate: '2026-03-04' });
  await sending.run('summarize', items, {
    userPromptTemplate: 'Text: {content}',
    referenceDate: '{sent}',
  });
  await sending.run('summarize', items, { includeContext: true, referenceDate: '{sent}' });

  expect(messages(0)[0]?.content).toMatch(/^Mine\.\n\nThe text was written on 2026-03-04/);
  expect(messages(1)[1]?.content).toBe(`Written on: 2026-03-04, a Wednesday\n\nText: ${content}`);
  expect(messages(2)[1]?.content).toBe(
    `Context: {"sent":"4.3.2026"}\nWritten on: 2026-03-04, a Wednesday\n\n${content}`,
  );
});

it.each([
  ['2026-02-30', /must be a date, YYYY-MM-DD, or \{field\}/],
  ['tomorrow', /must be a date/],
  ['03/04/2026', /must be a date/],
  ['{sent} {day}', /must be a date/],
  ['{content}', /\{content\} is the text itself/],
  ['{}', /empty placeholder/],
  ['{nobody}', /must name a metadata field of the items, not \{nobody\}/],
])('refuses %s', async (referenceDate, message) => {
  sending.answer('Fine.');

  const issues = issuesOf(await sending.run('summarize', [{ content }], { referenceDate }));

  expect(issues).toEqual([expect.stringMatching(message)]);
  expect(issues[0]).toMatch(/^options\.referenceDate: /);
});
