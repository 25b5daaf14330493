/** The same rows in every shape: generated from a seed, 1,000,000 of them about 100 MB as CSV. */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

const words =
  'the a of order refund card payment account please cannot transfer déjà naïve größe 価格 delivery late broken great love hate why when pending charged twice support answer phone app crashed update'.split(
    ' ',
  );
const sources = ['mail', 'chat', 'phone', 'web, form', 'branch "north"'];

export interface Row {
  id: string;
  text: string;
  source: string;
}

/** mulberry32: small, seeded, good enough for text. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * Texts of `words` words, from and to. Now and then a quote, a comma or a line break, as in real
 * files.
 */
export function* makeRows(
  count: number,
  [fewest, most]: readonly [number, number],
  seed = 1,
): Generator<Row> {
  const random = createRandom(seed);
  for (let index = 0; index < count; index += 1) {
    const length = fewest + Math.floor(random() * (most - fewest + 1));
    let text = '';
    for (let word = 0; word < length; word += 1) {
      text += (word === 0 ? '' : ' ') + (words[Math.floor(random() * words.length)] as string);
    }
    const kind = random();
    if (kind < 0.05) text += ', "really"';
    else if (kind < 0.1) text += '\nthank you';
    yield {
      id: `row-${index}`,
      text,
      source: sources[Math.floor(random() * sources.length)] as string,
    };
  }
}

const csvCell = (cell: string) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
const copyCell = (cell: string) =>
  cell
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replaceAll('\r', '\\r');

/**
 * What an uploader sends, and what `psql \copy` takes: the same rows in the shape of the table. A
 * million rows are about 100 MB of each.
 */
export const shapes = {
  csv: {
    words: [6, 18],
    head: 'id,text,source\n',
    row: ({ id, text, source }: Row) => `${id},${csvCell(text)},${csvCell(source)}\n`,
    fields: ({ id, text, source }: Row) => JSON.stringify([id, text, source]),
  },
  jsonl: {
    words: [4, 12],
    head: '',
    row: (row: Row) => `${JSON.stringify(row)}\n`,
    fields: (row: Row) => JSON.stringify(row),
  },
} as const;

/** A line of COPY's text format for the columns file_key, index, content, fields, custom_id. */
export function copyLine(fileKey: number, index: number, row: Row, fields: string): string {
  return `${fileKey}\t${index}\t\\N\t${copyCell(fields)}\t${copyCell(row.id)}\n`;
}

/** Writes lines in pieces; returns the bytes written. */
export async function writeLines(path: string, lines: Iterable<string>): Promise<number> {
  const file = createWriteStream(path, { highWaterMark: 4_194_304 });
  let piece: string[] = [];
  for (const line of lines) {
    if (piece.push(line) < 2_000) continue;
    if (!file.write(piece.join(''))) await once(file, 'drain');
    piece = [];
  }
  file.end(piece.join(''));
  await once(file, 'close');
  return file.bytesWritten;
}
