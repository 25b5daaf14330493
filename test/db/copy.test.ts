import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Copy, type CopySql, copySql, openCopy } from '../../src/db/driver/copy.ts';
import { RowEncoder } from '../../src/db/driver/row-encoder.ts';
import { openTestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

const { db, url } = await openTestDatabase();
let copy: Copy;

beforeAll(async () => {
  copy = openCopy(url, { maxConnections: 2 });
});

afterAll(async () => {
  await copy.close();
});

let nextKey = 1_000n;

function encode(
  encoder: RowEncoder,
  kind: 'fields' | 'content',
  text: string,
  customId: string | null,
  row: number,
): void {
  const bytes = Buffer.from(text);
  const id = customId === null ? null : Buffer.from(customId);
  let begun: number;
  do {
    begun = kind === 'fields' ? encoder.beginFields() : encoder.beginContent();
  } while (!encoder.fits(begun + bytes.length, id?.length ?? 0));
  encoder.bytes.set(bytes, begun);
  encoder.end(begun + bytes.length, id, 0, id?.length ?? 0, row);
}

const countRows = async (fileKey: bigint) =>
  Number((await db.sql`select count(*)::int as n from rows where file_key = ${fileKey}`)[0]?.n);

async function read(query: CopySql): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of copy.out(query)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The rows of a query with one column of text. */
async function readTexts(query: CopySql): Promise<(string | null)[]> {
  const bytes = await read(query);
  const texts: (string | null)[] = [];
  // Behind the header, each row is a count of columns, a length (-1 for null) and the text; a count
  // of -1 ends them.
  for (let at = 19; bytes.readInt16BE(at) !== -1; ) {
    const length = bytes.readInt32BE(at + 2);
    texts.push(length < 0 ? null : bytes.toString('utf8', at + 6, at + 6 + length));
    at += 6 + Math.max(length, 0);
  }
  return texts;
}

describe('COPY in', () => {
  it('stores rows byte for byte, long ones and pieces that are written again too', async () => {
    const fileKey = nextKey++;
    const encoder = new RowEncoder(fileKey);
    const texts = [
      '',
      '\\N',
      '\\.',
      '"\t\n\r\\',
      'é価😀\u0001\u0002\u007f',
      'x'.repeat(300_000),
      '{"a":1.0}',
    ];
    const given = [...Array(20_000).keys()].map((index) => ({
      index,
      customId: index % 3 === 0 ? null : `id-${index}`,
      content:
        index % 2 === 0
          ? texts[index % texts.length]!.slice(0, index < 14 ? undefined : 100)
          : null,
      fields: index % 2 === 0 ? null : `["${index}"]`,
      // Two rows were left out before the hundredth.
      row: index < 100 ? null : index + 3,
    }));

    const rowsIn = await copy.rowsIn();
    for (const { index, content, fields, customId, row } of given) {
      encode(
        encoder,
        content === null ? 'fields' : 'content',
        content ?? fields!,
        customId,
        row ?? index + 1,
      );
      for (const piece of encoder.take()) if (await rowsIn.write(piece)) encoder.recycle(piece);
    }
    for (const piece of encoder.finish()) await rowsIn.write(piece);
    const count = await rowsIn.finish();

    const stored = await db.sql`
      select index, custom_id as "customId", content, fields, row from rows where file_key = ${fileKey} order by index`;
    expect(count).toBe(given.length);
    expect([...stored]).toEqual(given);
  });

  it('shows nothing before its end, and leaves nothing when it is given up', async () => {
    const fileKey = nextKey++;
    const encoder = new RowEncoder(fileKey);
    const rowsIn = await copy.rowsIn();
    for (let row = 1; row <= 50_000; row += 1) encode(encoder, 'content', 'some text', null, row);
    for (const piece of encoder.take()) await rowsIn.write(piece);

    const before = await countRows(fileKey);
    rowsIn.abort();
    rowsIn.abort();

    expect(before).toBe(0);
    await until(
      async () =>
        (
          await db.sql`select from pg_stat_activity where query like 'copy %' and datname = current_database() and state = 'active'`
        ).length === 0,
      { deadlineMs: 5_000, what: 'the end of the statement' },
    );
    expect(await countRows(fileKey)).toBe(0);
  });

  it('rejects when the database refuses the rows, at once or at the end', async () => {
    const fileKey = nextKey++;
    const twice = async () => {
      const encoder = new RowEncoder(fileKey);
      const rowsIn = await copy.rowsIn();
      try {
        encode(encoder, 'content', 'x', null, 1);
        for (const piece of encoder.finish()) await rowsIn.write(piece);
        await rowsIn.finish();
      } finally {
        rowsIn.abort();
      }
    };
    await twice();

    await expect(twice()).rejects.toThrow('duplicate key');

    const garbage = async () => {
      const rowsIn = await copy.rowsIn();
      try {
        for (;;) await rowsIn.write(randomBytes(100_000));
      } finally {
        rowsIn.abort();
      }
    };
    await expect(garbage()).rejects.toThrow('COPY file signature');
    expect(await countRows(fileKey)).toBe(1);
  });

  it('rejects when its backend is killed, and the next one has a connection again', async () => {
    const fileKey = nextKey++;
    const rowsIn = await copy.rowsIn();
    const encoder = new RowEncoder(fileKey);
    for (let row = 1; row <= 50_000; row += 1) encode(encoder, 'content', 'some text', null, row);
    await until(
      async () =>
        (
          await db.sql`
          select pg_terminate_backend(pid) from pg_stat_activity
          where query like 'copy %' and datname = current_database() and query like 'copy rows%' and state = 'active'`
        ).length > 0,
      { deadlineMs: 5_000, what: 'a backend to kill' },
    );

    const writing = (async () => {
      for (const piece of encoder.finish()) await rowsIn.write(piece);
      await rowsIn.finish();
    })();
    await expect(writing).rejects.toThrow();
    rowsIn.abort();

    for (let again = 0; again < 4; again += 1) (await copy.rowsIn()).abort();
    expect(await countRows(fileKey)).toBe(0);
  });
});

describe('COPY out', () => {
  it('gives text as it is, and the lengths of it', async () => {
    const texts = ['{"a":"\\"\\\\ \\n \\u0001 é😀"}', '\\N', '"quoted"\n\t\u0001\u0002', '', null];
    await db.sql`create table texts (n int, line text)`;
    for (const [n, line] of texts.entries()) await db.sql`insert into texts values (${n}, ${line})`;

    expect(await readTexts(copySql`select line from texts order by n`)).toEqual(texts);
  });

  it('puts in whole numbers and parts alone', async () => {
    const limit = copySql`limit ${2}`;

    expect(
      await readTexts(
        copySql`select g::text from generate_series(${1}, ${10n}) as g where g > 5 -${-1} ${limit}`,
      ),
    ).toEqual(['7', '8']);
    expect(() => copySql`select ${1.5}`).toThrow(TypeError);
    expect(() => copySql`select ${Number.NaN}`).toThrow(TypeError);
    expect(() => copySql`select ${'1; drop table rows' as unknown as number}`).toThrow(TypeError);
  });

  it('joins by no nested loop, whatever the statistics say of new rows', async () => {
    const setting = copySql`select current_setting('enable_nestloop')`;

    expect(await readTexts(setting)).toEqual(['off']);
  });

  it('rejects what the database refuses, before and in the middle', async () => {
    await expect(read(copySql`select nonsense`)).rejects.toThrow('nonsense');
    await expect(
      read(copySql`select 1 / (50000 - g) from generate_series(1, 100000) as g`),
    ).rejects.toThrow('division by zero');
    expect(await readTexts(copySql`select 'one'`)).toEqual(['one']);
  });

  it('waits for a slow reader, and ends with one that has gone', async () => {
    const many = copySql`select repeat('x', 1000) from generate_series(1, 200000)`;
    const active = async () =>
      (
        await db.sql`select from pg_stat_activity where datname = current_database() and query like 'copy (select repeat%' and state = 'active'`
      ).length;

    for (let again = 0; again < 5; again += 1) {
      const pieces = copy.out(many);
      await pieces.next();
      await delay(50);
      expect(await active()).toBe(1);
      await pieces.return();
      await until(async () => (await active()) === 0, {
        deadlineMs: 5_000,
        what: 'the end of the statement',
      });
    }
    expect((await read(many)).length).toBe(19 + 200_000 * 1_006 + 2);
  });
});
