/** How tables are written: delimiters, headers, line breaks and rows of nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../../support/app.ts';
import { caseFile, uploadBody, uploadTable } from './table-support.ts';

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.stop());

describe('a first line of sep= and one character', () => {
  it('names the delimiter, and is no row', async () => {
    const file = await uploadTable(app, 'sep-line.csv', caseFile('sep-line.csv'));

    expect(file).toMatchObject({ columns: ['text', 'stars'], itemCount: 2, rejectedCount: 0 });
    expect(file.contents).toEqual(['I love it', 'Worst ever']);
    expect(file.warnings).toEqual([expect.stringMatching(/sep=.*";".*delimiter=/)]);
  });

  it.each([
    ['three columns', 'sep=;\r\nid;text;stars\r\n1;a, b;5\r\n', ['id', 'text', 'stars'], 'a, b'],
    ['a tab', 'sep=\t\nid\ttext\n1\ta;b\n', ['id', 'text'], 'a;b'],
    ['a bar', 'sep=|\nid|text\n1|a;b\n', ['id', 'text'], 'a;b'],
    ['an odd one', 'sep=^\nid^text\n1^a;b,c\n', ['id', 'text'], 'a;b,c'],
    ['a byte order mark', '\ufeffsep=;\r\nid;text\r\n1;a\r\n', ['id', 'text'], 'a'],
    ['two marks', '\ufeff\ufeffsep=;\nid;text\n1;a\n', ['id', 'text'], 'a'],
    ['one column', 'sep=;\r\ntext\r\na, b\r\n', ['text'], 'a, b'],
    ['a comma in one column', 'sep=,\ntext\na; b\n', ['text'], 'a; b'],
    ['quotes around it', '"sep=;"\nid;text\n1;a\n', ['id', 'text'], 'a'],
    ['line breaks of old Macs', 'sep=;\rid;text\r1;a\r', ['id', 'text'], 'a'],
    ['blank lines', 'sep=;\n\nid;text\n1;a\n', ['id', 'text'], 'a'],
  ])('is read with %s', async (_name, table, columns, content) => {
    for (const name of ['x.csv', 'x', 'x.txt']) {
      const file = await uploadTable(app, name, table);
      expect(file).toMatchObject({ format: 'CSV', columns, contents: [content] });
      expect(file.rejectedCount).toBe(0);
    }
  });

  it('gives way to delimiter=, and lines are counted with it', async () => {
    const file = await uploadTable(app, 'x.csv', 'sep=;\na,b\n1,2\n3\n', { delimiter: ',' });

    expect(file.columns).toEqual(['a', 'b']);
    expect(file.rejections).toEqual([
      { row: 2, reason: 'has 1 cell where the header has 2 (line 4)' },
    ]);
    expect(file.warnings[0]).toMatch(/skipped.*delimiter=/);
  });

  it.each([
    ['more than one character', 'sep=;;\n1\n', ['sep=;;']],
    ['none', 'sep=\n1\n', ['sep=']],
    ['a name that only begins so', 'sep=a,b\n1,2\n', ['sep=a', 'b']],
  ])('is a header where it has %s', async (_name, table, columns) => {
    expect((await uploadBody(app, 'x.csv', table, { delimiter: ',' })).body.columns).toEqual(
      columns,
    );
  });
});

describe('the delimiter', () => {
  it('is no decimal comma', async () => {
    const file = await uploadTable(app, 'decimal-comma.csv', caseFile('decimal-comma.csv'));

    expect(file.columns).toEqual(['Produkt', 'Preis in EUR, netto']);
    expect(file.items.map(({ metadata }) => metadata)).toEqual([
      { Produkt: 'Lampe', 'Preis in EUR, netto': '3,50' },
      { Produkt: 'Tisch', 'Preis in EUR, netto': '120,00' },
    ]);
    expect(file.warnings[0]).toMatch(/";".*",".*delimiter=/);
  });

  it.each([
    [
      'semicolons and decimals, no blank in the header',
      'Ware;Preis,netto\nA;3,50\nB;1,00\n',
      ['Ware', 'Preis,netto'],
    ],
    ['tabs and decimals', 'Ware\tPreis, netto\nA\t3,50\nB\t1,00\n', ['Ware', 'Preis, netto']],
    ['bars and decimals', 'Ware|Preis, netto\nA|3,50\nB|1,00\n', ['Ware', 'Preis, netto']],
    ['tabs and prose', 'id\tname, title\n1\tJohn, cook\n2\tMary, queen\n', ['id', 'name, title']],
    [
      'semicolons and prose',
      'id;name, title\n1;John, cook\n2;Mary, queen\n',
      ['id', 'name, title'],
    ],
    ['commas and prose with semicolons', 'id,a; b\n1,x; y\n2,z; w\n', ['id', 'a; b']],
    [
      'one broken row among decimals',
      `Ware;Preis, netto\n${'A;3,50\n'.repeat(5)}B;1,00;x\n`,
      ['Ware', 'Preis, netto'],
    ],
  ])('is found among equals: %s', async (_name, table, columns) => {
    expect((await uploadBody(app, 'x.csv', table)).body.columns).toEqual(columns);
  });

  it.each([
    [',', 'a;b,c\n1;2,3\n', ['a;b', 'c']],
    [';', 'a;b,c\n1;2,3\n', ['a', 'b,c']],
    ['|', 'a|b,c\n1|2,3\n', ['a', 'b,c']],
    ['tab', 'a\tb,c\n1\t2,3\n', ['a', 'b,c']],
    ['~', 'a~b,c\n1~2,3\n', ['a', 'b,c']],
    ['\u0001', 'a\u0001b,c\n1\u00012,3\n', ['a', 'b,c']],
    [' ', 'a b,c\n1 "2 3"\n', ['a', 'b,c']],
  ])('is what delimiter=%j says', async (delimiter, table, columns) => {
    const { body } = await uploadBody(app, 'x.csv', table, { delimiter });

    expect(body).toMatchObject({ columns, itemCount: 1 });
    expect(body.warnings).not.toContainEqual(expect.stringContaining('delimiter'));
  });

  it('of a .tsv of one column is no comma', async () => {
    const file = await uploadTable(app, 'x.tsv', 'text\nHello, you\nBye, all\n');

    expect(file.contents).toEqual(['Hello, you', 'Bye, all']);
  });
});

describe('a header', () => {
  it('names columns without the blanks around them, and blanks may stand before quotes', async () => {
    const file = await uploadTable(app, 'header-blanks.csv', caseFile('header-blanks.csv'));

    expect(file).toMatchObject({
      columns: ['id', 'text', 'stars'],
      contentField: 'text',
      customIdField: 'id',
      rejectedCount: 0,
    });
    expect(file.contents).toEqual(['I love it, really', ' Worst ever']);
    expect(file.warnings).toEqual([expect.stringContaining('"text", "stars"')]);
  });

  it.each([
    ['no-break spaces', 'id,\u00a0text\u00a0\n1,a\n'],
    ['marks', 'id,\ufefftext\n1,a\n'],
    ['zero-width blanks', 'id,text\u200b\n1,a\n'],
    ['tabs', 'id,text\t\n1,a\n'],
    ['blanks in quotes', 'id," text "\n1,a\n'],
    ['blanks behind a closing quote', 'id, "text" , n\n1,a,b\n'],
    ['blanks before the delimiters', 'id ,text , n\n1,a,b\n'],
  ])('has its names without %s around them', async (_name, table) => {
    const file = await uploadTable(app, 'x.csv', table);

    expect(file).toMatchObject({ contentField: 'text', contents: ['a'], rejectedCount: 0 });
  });

  it('has names of their own for columns that have none, and says so', async () => {
    const file = await uploadTable(app, 'x.csv', ',text, text\n0,a,b\n');

    expect(file.columns).toEqual(['column_1', 'text', 'text_2']);
    expect(file.warnings).toEqual([
      expect.stringContaining('"text"'),
      expect.stringMatching(/column 1 .*"column_1".*column 3.*"text_2"/),
    ]);
  });

  it('leaves the keys of JSON as they are', async () => {
    const { body } = await uploadBody(app, 'x.json', '[{" id ":"1"," text":"a"}]');

    expect(body.columns).toEqual([' id ', ' text']);
  });
});

describe('a carriage return', () => {
  it('in a cell is data where lines end in line feeds', async () => {
    const file = await uploadTable(app, 'bare-cr.csv', caseFile('bare-cr.csv'));

    expect(file).toMatchObject({ itemCount: 3, rejectedCount: 0 });
    expect(file.contents).toEqual(['I love it', 'first part\rsecond part', 'Worst ever']);
  });

  it.each([
    ['three columns', 'id,text,n\r\n1,a\rb,2\r\n3,c,4\r\n', ['a\rb', 'c']],
    ['two in a row', 'id,text\n1,a\r\rb\n3,c\n', ['a\r\rb', 'c']],
    ['quotes', 'id,text\n1,"a\rb"\n3,c\n', ['a\rb', 'c']],
    ['semicolons', 'id;text\n1;a\rb\n3;c\n', ['a\rb', 'c']],
    ['lines that Python ended twice on Windows', 'id,text\r\r\n1,a\r\r\n3,c\r\r\n', ['a', 'c']],
    ['a name in the header', 'id,text,"n\ro",a\rb\n1,a,2,3\n3,c,4,5\n', ['a', 'c']],
    ['an end without a line feed', 'id,text\n1,a\n3,c\r', ['a', 'c']],
  ])('is no row of its own: %s', async (_name, table, contents) => {
    const file = await uploadTable(app, 'x.csv', table);

    expect(file).toMatchObject({ contents, rejectedCount: 0, blankCount: 0 });
  });

  it('ends the lines of old Macs', async () => {
    const file = await uploadTable(app, 'x.csv', 'id,text\r1,"a\rb"\r2\r3,c\r');

    expect(file.contents).toEqual(['a\rb', 'c']);
    expect(file.rejections).toEqual([
      { row: 2, reason: 'has 1 cell where the header has 2 (line 4)' },
    ]);
  });
});

describe('rows of nothing', () => {
  it('are skipped and counted', async () => {
    const file = await uploadTable(app, 'blank-rows.csv', caseFile('blank-rows.csv'));

    expect(file).toMatchObject({ itemCount: 2, blankCount: 3, rejectedCount: 0 });
    expect(file.items.map(({ customId }) => customId)).toEqual(['1', '2']);
    expect(file.warnings).toEqual([expect.stringMatching(/3 blank rows.*row 3/)]);
  });

  it.each([
    ['one column', 'x.csv', 'text\na\n\n \n""\nb\n'],
    [
      'blanks, tabs, no-break and wide spaces',
      'x.csv',
      'a,b\na,1\n ,\t\n\u00a0,\u3000\n\ufeff,"\n "\nb,1\n',
    ],
    ['other numbers of cells', 'x.csv', 'a,b\na,1\n,,,\n,\n" "\n\nb,1\n'],
    ['lines of a text', 'x.txt', 'a\n\n  \n\t\r\nb\n'],
  ])('are skipped in %s', async (_name, name, body) => {
    const { body: file } = await uploadBody(app, name, body);

    expect(file).toMatchObject({ itemCount: 2, rejectedCount: 0 });
    expect(file.blankCount).toBeGreaterThanOrEqual(3);
  });

  it('have numbers, by which refusals and default ids are right', async () => {
    const file = await uploadTable(app, 'x.csv', 'review,stars\na,1\n,\n\nb,2\nc\nd,3\n');

    expect(file).toMatchObject({ itemCount: 3, blankCount: 2, rejectedCount: 1 });
    expect(file.items.map(({ customId }) => customId)).toEqual(['0', '3', '5']);
    expect(file.rejections).toEqual([
      { row: 5, reason: 'has 1 cell where the header has 2 (line 6)' },
    ]);
  });

  it('alone are no file', async () => {
    for (const [name, text] of [
      ['x.csv', 'a,b\n,\n , \n'],
      ['x.txt', '\n \n'],
    ] as const) {
      const { status, body } = await uploadBody(app, name, text);
      expect(status).toBe(400);
      expect(body.error.message).toMatch(/2 blank rows/);
    }
  });

  it('are not what has a quote or a zero in it', async () => {
    const { body } = await uploadBody(app, 'x.csv', 'a,b\n"""",\n,0\n');

    expect(body).toMatchObject({ itemCount: 2, blankCount: 0 });
  });
});
