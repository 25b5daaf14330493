/**
 * The options that say how a file is read, in every way in, and what is told of a file that was
 * read.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { asBody, asForm, waysIn } from './ways-in.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

describe.each(waysIn)('$name', ({ send }) => {
  it('reads a file in the charset that is named', async () => {
    const latin2 = Buffer.from('text\n\xbf\xf3\xb3w\n', 'latin1');
    const { file, error } = await send(app, latin2, {
      name: 'x.csv',
      options: { charset: 'ISO-8859-2' },
    });
    const { data } = await app.graphql(
      '{ file(id: "ID") { preview encoding } }'.replace('ID', file.id),
    );

    expect(error).toBe('');
    expect(file.encoding).toBe('iso-8859-2');
    expect(data?.file).toEqual({ preview: [{ text: 'żółw' }], encoding: 'iso-8859-2' });
  });

  it.each([
    ['tab', '\t'],
    ['\t', '\t'],
    ['|', '|'],
    ['^', '^'],
  ])('cuts cells at the delimiter that is named: %j', async (delimiter, byte) => {
    const text = `id${byte}text\n1${byte}a, b; c\n2${byte}d, e; f\n`;
    const { file, error } = await send(app, text, { name: 'x.csv', options: { delimiter } });

    expect(error).toBe('');
    expect(file).toMatchObject({ columns: ['id', 'text'], itemCount: 2 });
  });

  it.each(['none', 'NONE'])('reads quotes as text where quote=%s', async (quote) => {
    const { file, error } = await send(app, 'id,text\n1,"a\n2,b"\n', {
      name: 'x.csv',
      options: { quote },
    });

    expect(error).toBe('');
    expect(file).toMatchObject({ itemCount: 2, rejectedCount: 0 });
  });

  it.each([
    ['charset', 'klingon', /charset.*must be utf-8,.*, not "klingon"/],
    ['charset', '', /charset.*must be utf-8,/],
    ['delimiter', ',,', /delimiter.*must be , ; \| tab.*, not ",,"/],
    ['delimiter', '', /delimiter.*must be , ; \| tab/],
    ['delimiter', 'é', /delimiter.*must be , ; \| tab/],
    ['delimiter', '"', /delimiter.*must be , ; \| tab/],
    ['delimiter', '\n', /delimiter.*must be , ; \| tab/],
    ['quote', "'", /quote.*must be " .* or none/],
  ])('refuses %s=%j, and says what it takes', async (name, value, message) => {
    const { status, error } = await send(app, 'id,text\n1,a\n', {
      name: 'x.csv',
      options: { [name]: value },
    });

    expect(status).toBe(400);
    expect(error).toMatch(message);
  });

  it('tells how the bytes were read, and nothing more where nothing was guessed', async () => {
    const { file } = await send(app, 'id,text\n1,a\n', { name: 'x.csv', type: 'text/csv' });

    expect(file).toMatchObject({ encoding: 'utf-8', blankCount: 0, warnings: [] });
  });
});

describe('POST /files', () => {
  it('takes options in snake and camel case, in the URL and in a form', async () => {
    const text = 'ref;note\nr1;a, b\n';
    const expected = { contentField: 'note', customIdField: 'ref', itemCount: 1 };

    for (const { send } of [asBody, asForm]) {
      const spellings: Record<string, string>[] = [
        { contentField: 'note', customIdField: 'ref', delimiter: ';' },
        { content_field: 'note', custom_id_field: 'ref', delimiter: ';' },
      ];
      for (const options of spellings) {
        const { file, error } = await send(app, text, { name: 'x.csv', options });
        expect([error, file]).toEqual(['', expect.objectContaining(expected)]);
      }
    }
  });

  it('refuses an option that comes twice, in the two spellings too', async () => {
    const query = 'content_field=text&contentField=id';
    const response = await fetch(`${app.url}/files?${query}`, {
      method: 'POST',
      body: 'text\na\n',
    });

    expect(response.status).toBe(400);
    expect(await response.text()).toContain('contentField is given more than once');
  });

  it('an option behind the file can only say how the file was read', async () => {
    const send = async (name: string, value: string) => {
      const form = new FormData();
      form.append('file', new Blob(['id,text\n1,a\n']), 'x.csv');
      form.append(name, value);
      const response = await fetch(`${app.url}/files`, { method: 'POST', body: form });
      return { status: response.status, text: await response.text() };
    };

    expect(await send('charset', 'utf-8')).toMatchObject({ status: 201 });
    for (const name of ['charset', 'delimiter', 'quote', 'rows_field']) {
      const { status, text } = await send(name, name === 'charset' ? 'windows-1252' : ';');
      expect(status).toBe(400);
      expect(text).toContain('has to come before the file');
    }
  });

  it('options of the file alone ask for no batch', async () => {
    const { file } = await asForm.send(app, 'id,text\n1,a\n', { options: { charset: 'utf-8' } });

    expect(file).toMatchObject({ itemCount: 1 });
    expect(file.batchId).toBeUndefined();
  });
});
