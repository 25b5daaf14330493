/**
 * Answers that are right and stand in another form than was asked for: behind a thought, in a
 * fence, among words. One request each.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../support/app.ts';
import { startStubApp } from '../../support/stub-app.ts';
import { completion, type StubProvider } from '../../support/stub-provider.ts';
import { type AnswerCase, readCase, runCase } from './case-support.ts';
import { submitMutation, untilEnded } from './support.ts';

let app: App;
let stub: StubProvider;
beforeAll(async () => {
  ({ app, stub } = await startStubApp());
});
afterAll(() => app.stop());

const run = (given: AnswerCase, more: Record<string, unknown> = {}) =>
  runCase(app, stub, given, { more });

const label = (...answers: string[]): AnswerCase => ({ ...readCase('think.answer.json'), answers });
const summarize = (...answers: string[]): AnswerCase => ({
  ...readCase('think-text.answer.json'),
  answers,
});
const extract = (...answers: string[]): AnswerCase => ({
  ...readCase('fence-and-words.answer.json'),
  answers,
});

describe('a thought in front of an answer', () => {
  it('is passed over before a label', async () => {
    const { result, requests } = await run(readCase('think.answer.json'));

    expect(result).toMatchObject({ label: 'positive', confidence: 0.9, error: null });
    expect(requests).toBe(1);
  });

  it('is no part of a summary', async () => {
    const { result, requests } = await run(readCase('think-text.answer.json'));

    expect(result).toMatchObject({ summary: 'A parcel came.', error: null });
    expect(requests).toBe(1);
  });

  it.each([
    ['<thinking>\nhm\n</thinking>\n\nA parcel came.'],
    ['\n<reasoning>{"a": 1}</reasoning>A parcel came.'],
    ['<THINK>hm</THINK> A parcel came.'],
    ['The user wants a summary.\n</think>\n\nA parcel came.'],
    ['The user wants a summary. </think> A parcel came.'],
    ['<think>\n\n</think>\n\nA parcel came.'],
  ])('%j leaves the summary', async (answer) => {
    const { result, requests } = await run(summarize(answer));

    expect(result).toMatchObject({ summary: 'A parcel came.' });
    expect(requests).toBe(1);
  });

  it.each([
    ['A page about <think>thoughts</think> and their tags.'],
    ['It explains the tag `</think>` and its use.'],
    ['A text with <b>marks</b>.'],
  ])('is not seen in %j, which stays as it is', async (answer) => {
    expect((await run(summarize(answer))).result).toMatchObject({ summary: answer });
  });

  it('has a tag behind it that stays', async () => {
    const answer = '<think>hm</think>The tag </think> ends a thought.';

    expect((await run(summarize(answer))).result.summary).toBe('The tag </think> ends a thought.');
  });

  it('that does not end is no answer: the model is asked again', async () => {
    const { result, requests } = await run(
      label('<think>{"label": "negative"} would be wrong', '{"label": "positive"}'),
    );

    expect(result).toMatchObject({ label: 'positive' });
    expect(requests).toBe(2);
  });

  it('is passed over where its opening tag is missing, and a tag inside of JSON is not', async () => {
    const thought = await run(
      label('Is {"label": "negative"} right? No.\n</think>\n{"label": "positive"}'),
    );
    const text = await run(extract('{"company": "The </think> company"}'));
    const fenced = await run(extract('```json\n{"company": "The </think> company"}\n```'));

    expect(thought.result).toMatchObject({ label: 'positive' });
    expect(text.result.data).toEqual({ company: 'The </think> company' });
    expect(fenced.result.data).toEqual({ company: 'The </think> company' });
  });

  it('stays in the text and the response of chat, whose data is read behind it', async () => {
    const answer = '<think>\nhm\n</think>\n{"n": 5}';
    stub.reply({ body: completion(answer) });
    const submitted = await app.graphql(submitMutation, {
      input: {
        operation: { chat: { responseSchema: { n: 'integer' } } },
        source: { requests: [{ messages: [{ role: 'user', content: 'n?' }] }] },
      },
    });
    const id = submitted.data?.submitBatch.batch.id;
    await untilEnded(app, id);

    const { data } = await app.graphql(
      'query($id: ID!) { batch(id: $id) { items { edges { node { attempts output } } } } }',
      { id },
    );
    expect(data?.batch.items.edges[0].node).toMatchObject({
      attempts: 1,
      output: { text: answer, data: { n: 5 }, response: completion(answer) },
    });
  });
});

describe('JSON among words', () => {
  it('is read where it stands in a fence behind words', async () => {
    const { result, requests } = await run(readCase('prose-json.answer.json'));

    expect(result).toMatchObject({ label: 'positive', confidence: 0.9, error: null });
    expect(requests).toBe(1);
  });

  it('is read where it stands in a fence before words', async () => {
    const { result, requests } = await run(readCase('fence-and-words.answer.json'));

    expect(result).toMatchObject({ data: { company: 'Acme' }, error: null });
    expect(requests).toBe(1);
  });

  it.each([
    ['without a fence', 'Sure! {"company": "Acme"} Anything else?'],
    ['in the last of several objects', 'Not {"company": "Other"} but {"company": "Acme"}.'],
    ['in the last one that is valid', 'So {"company": "Acme"}, and {"note": 1} is no company.'],
    [
      'in the last of two fences',
      '```json\n{"company": 1.5e}\n```\nBetter:\n```json\n{"company": "Acme"}\n```',
    ],
    ['behind braces that are no JSON', 'I fill {company} as {this}: {"company": "Acme"}'],
    ['behind an object that breaks off', '{"company": "Ac" Sorry: {"company": "Acme"}'],
    ['behind a thought', '<think>{"company": "Other"}</think>Here: {"company": "Acme"}'],
  ])('is read %s', async (_where, answer) => {
    const { result, requests } = await run(extract(answer));

    expect(result).toMatchObject({ data: { company: 'Acme' }, error: null });
    expect(requests).toBe(1);
  });

  it('has braces and fences in its texts, which end nothing', async () => {
    const company = 'A } b { c "quoted" ```json {"company": "x"} ```';
    const answer = `Here it is: ${JSON.stringify({ company })}. Good?`;

    expect((await run(extract(answer))).result).toMatchObject({ data: { company }, error: null });
  });

  it.each([
    ['a list of objects', 'Here: [{"company": "Acme"}, {"company": "Other"}]'],
    [
      'an object that is cut off, with a whole one inside',
      'Here: {"list": [{"company": "Acme"}, {"company": "Ot',
    ],
    ['an object with a fault, with a whole one inside', '{"a": Acme, "b": {"company": "Acme"}}'],
    ['an object around it', '{"result": {"company": "Acme"}}'],
  ])('is not taken out of %s', async (_what, answer) => {
    const { result, requests } = await run(extract(answer, answer, answer));

    expect(result).toMatchObject({ data: null, error: { code: 'INVALID_OUTPUT' } });
    expect(requests).toBe(3);
  });

  it('of any shape is the last object, whole', async () => {
    const options = { responseFormat: { type: 'JSON_OBJECT' }, instructions: 'List people.' };
    const given = { operation: 'run', options, item: 'Ada and Bob', answers: [''] };
    const whole = await run({ ...given, answers: ['Sure: {"people": [{"name": "Ada"}]} Done.'] });
    const cut = await run({ ...given, answers: ['{"people": [{"name": "Ada"}, {"name": "Bo'] });

    expect(whole.result).toMatchObject({ data: { people: [{ name: 'Ada' }] }, error: null });
    expect(cut.result).toMatchObject({ data: null, error: { code: 'INVALID_OUTPUT' } });
  });
});
