/**
 * A batch's items at their reader's pace: a statement reads no more than is then held in memory, so
 * that a slow reader holds no connection and no snapshot.
 */
import type { Copy } from '../../db/driver/copy.ts';
import {
  type ExportedItem,
  type ExportRange,
  ItemBuffer,
  itemsIn,
  readItemRange,
} from '../../db/item-export.ts';

/** Indexes a statement at most, and at first, while nobody knows how long rows are. */
const maxIndexes = 20_000;
const firstIndexes = 1_000;
/** What is read at a time: more while it is taken at once, less while the reader takes its time. */
const minBytes = 65_536;
const firstBytes = 262_144;
const maxBytes = 1_048_576;
const quickMs = 250;
const slowMs = 1_000;
/** Rows that are suddenly so much longer than those before are read again, fewer at a time. */
const excess = 4;

/** The items of a range in order, in parts: one is read while another is used, in two buffers. */
export async function* readItems(
  copy: Copy,
  { first, last, ...what }: ExportRange,
): AsyncGenerator<Iterable<ExportedItem>, void, undefined> {
  if (first > last) return;
  let target = firstBytes;
  let indexes = firstIndexes;

  async function readPart(from: number, buffer: ItemBuffer): Promise<number> {
    for (;;) {
      buffer.clear(target);
      const to = Math.min(last, from + indexes - 1);
      const limit = from === to ? Number.POSITIVE_INFINITY : excess * maxBytes;
      const fits = await readItemRange(
        copy,
        { ...what, first: from, last: to },
        { buffer, maxBytes: limit },
      );
      const bytesPerIndex = fits ? buffer.length / (to - from + 1) : limit / (to - from + 1);
      const wanted = Math.floor(target / Math.max(bytesPerIndex, 1));
      indexes = Math.max(1, Math.min(maxIndexes, wanted, fits ? maxIndexes : (to - from) >> 3));
      if (fits) return to;
    }
  }

  let [buffer, other] = [new ItemBuffer(), new ItemBuffer()];
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
    yield itemsIn(buffer);
    if (isLast) return;
    [buffer, other] = [other, buffer];
    const tookMs = performance.now() - startedAt;
    if (tookMs < quickMs) target = Math.min(2 * target, maxBytes);
    else if (tookMs > slowMs) target = Math.max(target / 4, minBytes);
  }
}
