/**
 * What the bytes of a file are, in every way in and every format: by its mark, by what is said, by
 * what they look like.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { asBody, asForm, waysIn } from './ways-in.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

const handed = (name: string) => readFileSync(new URL(`../../cases/${name}`, import.meta.url));

/** Text in Windows-1252, as Excel writes it. */
const windows = (text: string) =>
  Buffer.from(
    text.replaceAll('€', '\x80').replaceAll('„', '\x84').replaceAll('“', '\x93'),
    'latin1',
  );

async function preview(id: string): Promise<Record<string, string>[]> {
  const query = 'query ($id: ID!) { file(id: $id) { preview(first: 100) } }';
  return (await app.graphql(query, { id })).data?.file.preview;
}

describe.each(waysIn)('$name', ({ send }) => {
  it('reads what Excel writes in Windows-1252, and tells it', async () => {
    const { file, error } = await send(app, handed('windows-1252.csv'), { name: 'x.csv' });

    expect(error).toBe('');
    expect(file).toMatchObject({ encoding: 'windows-1252', itemCount: 3, rejectedCount: 0 });
    expect(file.warnings).toContainEqual(expect.stringMatching(/Windows-1252.*charset=/));
    expect((await preview(file.id)).map(({ text }) => text)).toEqual([
      'Müller sagt: schön',
      'plain',
      'Größe „L“ für 5 €',
    ]);
  });

  it('believes the charset of the content type, and nothing is guessed then', async () => {
    const greek = Buffer.from('text\n\xc5\xeb\xeb\xdc\xf2\n', 'latin1');
    const { file, error } = await send(app, greek, {
      name: 'x.csv',
      type: 'text/csv;charset=iso-8859-7',
    });

    expect(error).toBe('');
    expect(file).toMatchObject({ encoding: 'iso-8859-7', warnings: [] });
    expect(await preview(file.id)).toEqual([{ text: 'Ελλάς' }]);
  });

  it('believes charset= before the content type, and a mark before both', async () => {
    const given = {
      name: 'x.csv',
      type: 'text/csv; charset="utf-8"',
      options: { charset: 'windows-1252' },
    };
    const asked = await send(app, windows('text\nschön\n'), given);
    const marked = await send(app, '\ufefftext\nschön\n', given);

    expect(await preview(asked.file.id)).toEqual([{ text: 'schön' }]);
    expect(await preview(marked.file.id)).toEqual([{ text: 'schön' }]);
    expect(marked.file).toMatchObject({
      encoding: 'utf-8',
      warnings: [expect.stringMatching(/byte order mark of utf-8.*charset=windows-1252/)],
    });
  });

  it('reads UTF-16 without a mark, and tells it', async () => {
    const { file, error } = await send(app, handed('utf16-without-bom.jsonl'), { name: 'x.jsonl' });

    expect(error).toBe('');
    expect(file).toMatchObject({ encoding: 'utf-16le', itemCount: 2, columns: ['text'] });
    expect(file.warnings).toContainEqual(expect.stringMatching(/UTF-16.*charset=/));
    expect(await preview(file.id)).toEqual([{ text: 'a' }, { text: 'b' }]);
  });
});

const formats: [format: string, name: string, text: string, rows: unknown[]][] = [
  [
    'CSV',
    'x.csv',
    'id,text\n1,schön\n2,5 €\n',
    [
      { id: '1', text: 'schön' },
      { id: '2', text: '5 €' },
    ],
  ],
  ['text', 'x.md', 'schön\n5 €\n', [{ content: 'schön' }, { content: '5 €' }]],
  ['JSON', 'x.json', '[{"text":"schön"},{"text":"5 €"}]', [{ text: 'schön' }, { text: '5 €' }]],
  ['JSONL', 'x.jsonl', '{"text":"schön"}\n{"text":"5 €"}\n', [{ text: 'schön' }, { text: '5 €' }]],
];

describe.each(formats)('%s', (_format, name, text, rows) => {
  it.each([
    ['windows-1252', windows(text)],
    ['utf-16le', Buffer.from(text, 'utf16le')],
    ['utf-16be', Buffer.from(text, 'utf16le').swap16()],
  ])('is read in %s without a word about it', async (encoding, bytes) => {
    const { file, error } = await asBody.send(app, bytes, { name });

    expect(error).toBe('');
    expect(file).toMatchObject({ encoding, rejectedCount: 0 });
    expect(file.warnings).toContainEqual(expect.stringContaining('charset='));
    expect(await preview(file.id)).toEqual(rows);
  });
});

describe('Windows-1252', () => {
  const plain = `text\n${'a plain row of text\n'.repeat(20_000)}`;

  it('is found where its first letter comes behind 64 kB, in the middle of a row too', async () => {
    for (const behind of ['schön\n', `${'x'.repeat(70_000)} schön\n`]) {
      const { file, error } = await asForm.send(app, windows(plain + behind), { name: 'x.csv' });

      expect(error).toBe('');
      expect(file).toMatchObject({ encoding: 'windows-1252', itemCount: 20_001, rejectedCount: 0 });
      expect(file.warnings).toContainEqual(expect.stringContaining('Windows-1252'));
    }
  });

  it('is found where its only letter is the last byte', async () => {
    const { file } = await asBody.send(app, windows('text\ncafé'), { name: 'x.csv' });

    expect(await preview(file.id)).toEqual([{ text: 'café' }]);
  });

  it('is read where its punctuation looks like UTF-8', async () => {
    // ß“ and é, no-break space, » are characters of other scripts by chance.
    const text = 'text\nschön\nWas für ein „Spaß“\n« café\xa0»\n';
    const { file, error } = await asBody.send(app, windows(text), { name: 'x.csv' });

    expect(error).toBe('');
    expect((await preview(file.id)).map((row) => row.text)).toEqual([
      'schön',
      'Was für ein „Spaß“',
      '« café\xa0»',
    ]);
  });

  it('is not guessed of a file that is UTF-8 but for some rows: these alone are refused', async () => {
    const bad = windows('schön\n');
    for (const parts of [
      [Buffer.from('text\nschön\n'), bad, Buffer.from('gut\n')],
      [Buffer.from('text\n'), bad, Buffer.from('schön\ngut\n')],
    ]) {
      const { file, error } = await asBody.send(app, Buffer.concat(parts), { name: 'x.csv' });

      expect(error).toBe('');
      expect(file).toMatchObject({ encoding: 'utf-8', itemCount: 2, rejectedCount: 1 });
      expect(file.rejections[0].reason).toMatch(/not valid UTF-8.*charset=windows-1252/);
    }
  });

  it('is given up, with the file, where real UTF-8 comes long behind, and charset= settles it', async () => {
    const bytes = Buffer.concat([windows('text\nschön\n'), Buffer.from(`${plain}schön\n`)]);
    const refused = await asBody.send(app, bytes, { name: 'x.csv' });
    const asUtf8 = await asBody.send(app, bytes, { name: 'x.csv', options: { charset: 'utf-8' } });
    const decoded = await asBody.send(app, bytes, {
      name: 'x.csv',
      options: { charset: 'windows-1252' },
    });

    expect(refused.status).toBe(400);
    expect(refused.error).toMatch(/real UTF-8 characters too.*charset=utf-8/);
    expect(asUtf8.file).toMatchObject({ encoding: 'utf-8', rejectedCount: 1 });
    expect(decoded.file).toMatchObject({
      encoding: 'windows-1252',
      rejectedCount: 0,
      warnings: [],
    });
  });

  it('is not what other charsets are taken for', async () => {
    const russian = Buffer.from(
      `text\n${'\xcf\xf0\xe8\xe2\xe5\xf2 \xea\xe0\xea \xe4\xe5\xeb\xe0\n'.repeat(3)}`,
      'latin1',
    );
    const guessed = await asBody.send(app, russian, { name: 'x.csv' });
    const named = await asBody.send(app, russian, {
      name: 'x.csv',
      options: { charset: 'windows-1251' },
    });

    expect(guessed.status).toBe(400);
    expect(guessed.error).toMatch(/does not look like Windows-1252.*charset=/);
    expect((await preview(named.file.id))[0]).toEqual({ text: 'Привет как дела' });
  });
});

describe('UTF-16', () => {
  it('is found without a mark where few letters are ASCII', async () => {
    const text =
      'id,text\n1,価格はいくらですか教えてください\n2,とても良い製品でした、ありがとう\n';
    for (const bytes of [Buffer.from(text, 'utf16le'), Buffer.from(text, 'utf16le').swap16()]) {
      const { file } = await asBody.send(app, bytes, { name: 'x.csv' });

      expect((await preview(file.id))[1]?.text).toBe('とても良い製品でした、ありがとう');
    }
  });

  it.each([
    ['Cyrillic, whose every byte is one of ASCII', 'x.txt', 'привет мир\nкак дела\n'],
    ['Cyrillic in JSON', 'x.jsonl', '{"text":"привет"}\n{"text":"мир"}\n'],
    ['Cyrillic in a table', 'x.csv', 'ид,text\n1,привет мир\n2,как дела\n'],
    ['Arabic', 'x.csv', 'id,text\n1,مرحبا بالعالم\n2,كيف حالك\n'],
    ['Greek', 'x.txt', 'Καλημέρα κόσμε\nΤι κάνεις\n'],
    [
      'long lines of another script',
      'x.jsonl',
      `{"text":"${'価格は教'.repeat(400)}"}\n{"text":"良い"}\n`,
    ],
  ])('is found without a mark in either order: %s', async (_what, name, text) => {
    const little = Buffer.from(text, 'utf16le');
    for (const [encoding, bytes] of [
      ['utf-16le', little],
      ['utf-16be', Buffer.from(little).swap16()],
    ] as const) {
      const { file, error } = await asBody.send(app, bytes, { name });

      expect(error).toBe('');
      expect(file).toMatchObject({ encoding, itemCount: 2, rejectedCount: 0 });
      const lines = text.trimEnd().split('\n').slice(-2);
      const rows = (await preview(file.id)).map((row) => row.text ?? row.content);
      expect(lines).toEqual(rows.map((row) => expect.stringContaining(row as string)));
    }
  });

  it('is not what two NULs make of UTF-8, wherever the sample cuts it', async () => {
    for (const [at, script] of [...'яé価'].entries()) {
      const text = `text\na\0b\n${'x'.repeat(at)}${`${script} `.repeat(3_000)}\nc\0d\ngood\n`;
      const { file } = await asBody.send(app, text, { name: 'x.csv' });

      expect(file).toMatchObject({ encoding: 'utf-8', itemCount: 2, rejectedCount: 2 });
    }
  });

  it('is not what a file of one character is', async () => {
    const { file, error } = await asBody.send(app, '5', { name: 'x.txt' });

    expect(error).toBe('');
    expect(file).toMatchObject({ encoding: 'utf-8', itemCount: 1, warnings: [] });
  });

  it('that cannot be told is refused with charset= as the way out', async () => {
    const { status, error } = await asBody.send(app, Buffer.from('你好\n', 'utf16le'), {
      name: 'x.csv',
      options: { format: 'CSV' },
    });

    expect(status).toBe(400);
    expect(error).toMatch(/UTF-16.*charset=utf-16le/);
  });

  it('without a mark, where the charset is said to be UTF-8, is refused by its name', async () => {
    const { status, error } = await asBody.send(app, handed('utf16-without-bom.jsonl'), {
      name: 'x.jsonl',
      type: 'application/jsonl; charset=utf-8',
    });

    expect(status).toBe(400);
    expect(error).toMatch(/UTF-16.*charset=utf-16le/);
  });

  it('is not what a row with NULs makes of a file', async () => {
    const { file } = await asBody.send(app, 'text\nab\0\0\0d\ngood\nb\0d\0\n', { name: 'x.csv' });

    expect(file).toMatchObject({ encoding: 'utf-8', itemCount: 1, rejectedCount: 2 });
  });

  it('is read in either order where it is called utf-16 alone', async () => {
    const bytes = Buffer.from('text\nschön\n', 'utf16le').swap16();
    const { file } = await asBody.send(app, bytes, {
      name: 'x.csv',
      options: { charset: 'utf-16' },
    });

    expect(await preview(file.id)).toEqual([{ text: 'schön' }]);
  });

  it('of four bytes a letter is refused as UTF-32', async () => {
    for (const mark of ['', '\ufeff']) {
      const utf32 = Buffer.concat(
        [...`${mark}text\na\nb\n`].map((one) => {
          const unit = Buffer.alloc(4);
          unit.writeUInt32LE(one.codePointAt(0) ?? 0);
          return unit;
        }),
      );
      const { status, error } = await asBody.send(app, utf32, { name: 'x.csv' });

      expect(status).toBe(415);
      expect(error).toContain('UTF-32');
    }
    const short = Buffer.from('a\nb\nc\nd\n', 'utf16le');
    expect((await asBody.send(app, short, { name: 'x.txt' })).file.itemCount).toBe(4);
  });
});
