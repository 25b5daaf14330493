/**
 * Columns whose names alone say what they hold are asked for in one form, so that en, EN and
 * English do not stand side by side.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { type Sending, startSending } from './sent.ts';

const items = [{ content: 'Das ist nicht gut.' }];
const forms = {
  language: 'as its ISO 639-1 code, e.g. en',
  country: 'as its ISO 3166 alpha-2 code, e.g. DE',
  currency: 'as its ISO 4217 code, e.g. EUR',
  sentiment: 'positive, negative, neutral or mixed',
};

let sending: Sending;
beforeAll(async () => {
  sending = await startSending();
});
afterAll(() => sending.close());

/** The lines of the fields in what is sent. */
async function linesFor(operation: string, options: object): Promise<string[]> {
  sending.answer('{}');
  await sending.run(operation, items, options);
  const system: string = sending.bodies()[0]?.messages[0].content;
  return (system.split('Fields:\n')[1]?.split('\n\n')[0] ?? '').split('\n');
}

describe('a known name', () => {
  it.each([
    ['language', 'language'],
    ['original_language', 'language'],
    ['languageCode', 'language'],
    ['Country', 'country'],
    ['home_country', 'country'],
    ['country_of_origin', 'country'],
    ['billingCountry', 'country'],
    ['currency', 'currency'],
    ['price-currency', 'currency'],
    ['sentiment', 'sentiment'],
    ['overall sentiment', 'sentiment'],
  ] as const)(
    '%s has the form of a %s, in enrich, in the short form and in a schema',
    async (name, form) => {
      const expected = expect.stringMatching(
        new RegExp(`: ${forms[form].replaceAll('.', '\\.')}$`),
      );

      expect(await linesFor('enrich', { fields: [{ name }] })).toEqual([expected]);
      expect(await linesFor('extract', { schema: { [name]: 'string' } })).toEqual([expected]);
      expect(
        await linesFor('extract', {
          schema: { type: 'object', properties: { [name]: { type: 'string' } }, required: [name] },
        }),
      ).toEqual([expected]);
    },
  );

  it('has it in a list too', async () => {
    const expected = [`- "languages" (list of texts or null): ${forms.language}`];

    expect(await linesFor('enrich', { fields: [{ name: 'languages', type: 'LIST' }] })).toEqual(
      expected,
    );
    expect(await linesFor('extract', { schema: { languages: 'string[]' } })).toEqual([
      `- "languages" (list of string): ${forms.language}`,
    ]);
  });

  it.each([
    [{ name: 'language', description: 'In French.' }, '- "language" (text or null): In French.'],
    [
      { name: 'language', validValues: ['English', 'German'] },
      '- "language" (one of "English", "German" or null)',
    ],
    [
      { name: 'language', examples: ['English'] },
      '- "language" (text or null): Examples: "English"',
    ],
    [{ name: 'country', type: 'BOOLEAN' }, '- "country" (true or false or null)'],
    [{ name: 'country_name' }, '- "country_name" (text or null)'],
    [{ name: 'sentiment_score' }, '- "sentiment_score" (text or null)'],
    [{ name: 'programming_languages_used' }, '- "programming_languages_used" (text or null)'],
  ])('that says more, or is of another kind, is left as it is: %j', async (field, line) => {
    expect(await linesFor('enrich', { fields: [field] })).toEqual([line]);
  });
});

it('the sandbox keeps to the forms', async () => {
  const app: App = await startApp();
  try {
    const { data } = await app.graphql(
      `mutation ($items: [ItemInput!]!, $options: EnrichOptions!) {
        enrich(items: $items, options: $options) { results { data } }
      }`,
      {
        items: [{ content: 'Das Paket kostet 5 €.\nlanguage: de\ncountry: DE' }],
        options: {
          fields: [{ name: 'language' }, { name: 'country' }, { name: 'currency' }],
        },
      },
    );

    expect(data?.enrich.results[0].data).toEqual({
      language: 'de',
      country: 'DE',
      currency: 'EUR',
    });
  } finally {
    await app.stop();
  }
});
