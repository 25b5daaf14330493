/** Tables that people have, as POST /files reads them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { caseFile, uploadBody, uploadTable } from './table-support.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

describe('quotes', () => {
  it('of a tab file are text where the lines are rows only so', async () => {
    const file = await uploadTable(app, 'quotes-merge.tsv', caseFile('quotes-merge.tsv'));

    expect(file.items).toEqual([
      { customId: '1', content: '"It was great, he told us.', metadata: {} },
      { customId: '2', content: 'The room was dirty.', metadata: {} },
      { customId: '3', content: 'The food was cold.', metadata: {} },
      { customId: '4', content: 'We will come back, she added."', metadata: {} },
      { customId: '5', content: 'Fine.', metadata: {} },
    ]);
    expect(file).toMatchObject({ rejectedCount: 0, blankCount: 0 });
    expect(file.warnings).toContainEqual(
      expect.stringMatching(/Quotes were read as text.*line 2.*quote="/),
    );
  });

  it('that do not fit cost one row, and take no others with it', async () => {
    const file = await uploadTable(app, 'quotes-swallow.csv', caseFile('quotes-swallow.csv'));

    expect(file.items.map(({ customId }) => customId)).toEqual(['2', '3', '4', '5']);
    expect(file.contents[2]).toBe('We will come back, sure');
    expect(file.rejections).toEqual([
      { row: 1, reason: expect.stringMatching(/ends in line 5.*quote=none.*\(line 2\)$/) },
    ]);
  });

  it('are what quote= says', async () => {
    const tsv = caseFile('quotes-merge.tsv');
    const csv = caseFile('quotes-swallow.csv');

    const quoted = await uploadTable(app, 'a.tsv', tsv, { quote: '"' });
    const plain = await uploadTable(app, 'a.csv', csv, { quote: 'none' });

    expect(quoted.contents).toEqual([
      'It was great, he told us.\n2\tThe room was dirty.\n3\tThe food was cold.\n4\tWe will come back, she added.',
      'Fine.',
    ]);
    expect(quoted.warnings).not.toContainEqual(expect.stringContaining('quote'));
    expect(plain.items.map(({ customId }) => customId)).toEqual(['1', '2', '3', '5']);
    expect(plain.contents[0]).toBe('"It was great');
    expect(plain.rejections).toEqual([
      { row: 4, reason: 'has 3 cells where the header has 2 (line 5)' },
    ]);
  });

  it.each([
    [
      'bars',
      'id|text\n1|"Great, he said.\n2|Dirty.\n3|Come back."\n',
      ['"Great, he said.', 'Dirty.', 'Come back."'],
    ],
    [
      'a quote that never ends',
      'id\ttext\n1\t"Great\n2\tDirty\n3\tFine\n',
      ['"Great', 'Dirty', 'Fine'],
    ],
    [
      'a quote with something behind it',
      'id\ttext\n1\t"Great," he said\n2\tFine\n',
      ['"Great," he said', 'Fine'],
    ],
    ['a header that opens one', 'id\t"text\n1\tGreat\n2\t"Fine"\n', ['Great', '"Fine"']],
  ])('of %s are text', async (_name, table, contents) => {
    const file = await uploadTable(app, 'a.tsv', table);

    expect(file.contents.map((content) => content)).toEqual(contents);
    expect(file.rejectedCount).toBe(0);
    expect(file.warnings).toContainEqual(expect.stringContaining('quote="'));
  });

  it.each([
    [
      'cells with line breaks',
      'id\ttext\n1\t"Great\nplace"\n2\t"a ""b"""\n',
      ['Great\nplace', 'a "b"'],
    ],
    ['cells with tabs', 'id\ttext\n1\t"Great\tplace"\n2\t"x"\n', ['Great\tplace', 'x']],
    ['one-line cells', 'id\ttext\n1\t"Great"\n2\tfine\n', ['Great', 'fine']],
    ['names, as R writes them', '"id"\t"text"\n1\t"a\n2\tb"\n3\t"c"\n', ['c']],
  ])('of a tab file are quoting where they are needed: %s', async (_name, table, contents) => {
    const file = await uploadTable(app, 'a.tsv', table);

    expect(file.contents.slice(-contents.length)).toEqual(contents);
  });

  it('settle themselves in a long tab file, where the first one comes late', async () => {
    const before = Array.from({ length: 3_000 }, (_, n) => `${n}\tThe room was clean and large.`);
    const late = ['x1\t"It was great.', 'x2\tDirty.', 'x3\tGood."', 'x4\t"Fine."'];

    const file = await uploadTable(app, 'a.tsv', ['id\ttext', ...before, ...late].join('\n'));

    expect(file).toMatchObject({ itemCount: 3_004, rejectedCount: 0 });
    expect(file.warnings).toEqual([
      expect.stringMatching(/^From row 3001 on quotes were read as text.*3002 to 3004/),
    ]);
  });

  it('that take whole rows with them cost the first of these alone', async () => {
    const file = await uploadTable(
      app,
      'a.csv',
      'id,text\n1,"It was great\n2,The room was dirty\n3,Come back"\n4,Fine\n',
    );

    expect(file.items.map(({ customId }) => customId)).toEqual(['2', '3', '4']);
    expect(file.rejections).toEqual([
      { row: 1, reason: expect.stringMatching(/lines 2 to 4.*quote=".*quote=none.*\(line 2\)$/) },
    ]);
  });

  it('that seem to take rows with them are told where nothing is sure', async () => {
    const merged = await uploadTable(
      app,
      'a.csv',
      'id,text\na,"It was great\nbc,Dirty\nd,Come back"\ne,"x, y\nz"\n',
    );
    const prose = await uploadTable(
      app,
      'a.csv',
      `id,text\na,"Hello\nwell, yes\nso, no"\n${['b', 'c', 'd'].map((id) => `${id},"one\ntwo\nthree"\n`).join('')}`,
    );

    expect(merged.warnings).toEqual([expect.stringMatching(/row 1 with lines 2 to 4; quote=none/)]);
    expect(prose.warnings).toEqual([]);
    expect(merged.itemCount + prose.itemCount).toBe(6);
  });

  it('keep cells of several lines whole, prose with commas too', async () => {
    const text = 'Dear all,\nthanks, and bye\n\nJohn, "the" cook';
    const cell = `"${text.replaceAll('"', '""')}"`;

    const comma = await uploadTable(app, 'a.csv', `id,text\n1,${cell}\n2,x\n`);
    const semicolon = await uploadTable(app, 'a.csv', `id;text;n\n1;${cell};3\n2;x;4\n`);

    expect(comma.contents).toEqual([text, 'x']);
    expect(semicolon.contents).toEqual([text, 'x']);
    for (const { warnings, rejectedCount } of [comma, semicolon]) {
      expect({ warnings, rejectedCount }).toEqual({ warnings: [], rejectedCount: 0 });
    }
  });

  it('of a row of several lines that is refused name its lines', async () => {
    const file = await uploadTable(app, 'a.csv', 'id,text\n1,"a\nb\nc",d\n2,fine\n');

    expect(file.rejections).toEqual([
      { row: 1, reason: 'has 3 cells where the header has 2 (lines 2 to 4)' },
    ]);
    expect(file.contents).toEqual(['fine']);
  });

  it('that open in a header of commas and take rows with it refuse the file', async () => {
    const table = 'id,"text\n1,Great\n2,"\n3,Fine\n';

    const { status, body } = await uploadBody(app, 'a.csv', table);
    const read = await uploadTable(app, 'a.csv', table, { quote: 'none' });

    expect(status).toBe(400);
    expect(body.error.message).toMatch(/quote over 3 lines.*quote=none/);
    expect(read.contents).toEqual(['1,Great', '2,"', '3,Fine'].map((line) => line.slice(2)));
  });
});
