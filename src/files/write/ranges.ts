/**
 * A batch's items, or a file's rows, at their reader's pace: a statement reads no more than is then
 * held in memory, so that a slow reader holds no connection and no snapshot.
 */
import { CopyBuffer } from '../../db/copy-buffer.ts';
import type { Copy } from '../../db/driver/copy.ts';
import {
  type ExportedItem,
  type ExportRange,
  itemsIn,
  readItemRange,
} from '../../db/item-export.ts';
import { type ExportedRow, readRowRange, rowsIn } from '../../db/row-export.ts';

/** Indexes a statement at most, and at first, while nobody knows how long rows are. */
const maxIndexes = 20_000;
const firstIndexes = 1_000;
/**
 * Bytes that are read at a time: more while they are taken at once, less while the reader takes its
 * time.
 */
const minBytes = 65_536;
const firstBytes = 262_144;
const maxBytes = 1_048_576;
const quickMs = 250;
const slowMs = 1_000;
/** Rows that are suddenly so much longer than those before are read again, fewer at a time. */
const excess = 4;

/** The items of a range of any length, in order, in parts. */
export function readItems(
  copy: Copy,
  { first, last, ...what }: ExportRange,
): AsyncGenerator<Iterable<ExportedItem>, void, undefined> {
  return readParts({ first, last }, itemsIn, (range, room) =>
    readItemRange(copy, { ...what, ...range }, room),
  );
}

/** The rows of a file, in order, in parts. */
export function readRows(
  copy: Copy,
  { fileKey, ...range }: { fileKey: bigint } & Range,
): AsyncGenerator<Iterable<ExportedRow>, void, undefined> {
  return readParts(range, rowsIn, (part, room) => readRowRange(copy, { fileKey, ...part }, room));
}

/** Both ends are in it. */
interface Range {
  first: number;
  last: number;
}

/**
 * `fill` reads a part into a buffer, or says that it does not fit. The next part is read while one
 * is used, into the other of two buffers.
 */
async function* readParts<Entry>(
  { first, last }: Range,
  entriesIn: (buffer: CopyBuffer) => Iterable<Entry>,
  fill: (range: Range, room: { buffer: CopyBuffer; maxBytes: number }) => Promise<boolean>,
): AsyncGenerator<Iterable<Entry>, void, undefined> {
  if (first > last) return;
  let target = firstBytes;
  let indexes = firstIndexes;

  async function readPart(from: number, buffer: CopyBuffer): Promise<number> {
    for (;;) {
      buffer.clear(target);
      const to = Math.min(last, from + indexes - 1);
      const limit = from === to ? Number.POSITIVE_INFINITY : excess * maxBytes;
      const fits = await fill({ first: from, last: to }, { buffer, maxBytes: limit });
      const bytesPerIndex = fits ? buffer.length / (to - from + 1) : limit / (to - from + 1);
      const wanted = Math.floor(target / Math.max(bytesPerIndex, 1));
      indexes = Math.max(1, Math.min(maxIndexes, wanted, fits ? maxIndexes : (to - from) >> 3));
      if (fits) return to;
    }
  }

  let [buffer, other] = [new CopyBuffer(), new CopyBuffer()];
  let part = readPart(first, buffer);
  for (;;) {
    const to = await part;
    const isLast = to >= last;
    if (!isLast) {
      part = readPart(to + 1, other);
      // It is awaited in a while, or by nobody when the reader goes.
      part.catch(() => undefined);
    }
    const startedAt = performance.now();
    yield entriesIn(buffer);
    if (isLast) return;
    [buffer, other] = [other, buffer];
    const tookMs = performance.now() - startedAt;
    if (tookMs < quickMs) target = Math.min(2 * target, maxBytes);
    else if (tookMs > slowMs) target = Math.max(target / 4, minBytes);
  }
}
