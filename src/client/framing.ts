/**
 * Where an output may be cut, so that it can be gone on with: bytes come in as the network has
 * them, and go out up to the end of a record.
 */

const newline = 0x0a;
const comma = 0x2c;
const quote = 0x22;

export interface Framing {
  /** The bytes so far that end with a record, and were not given yet. Empty where none does. */
  take(piece: Uint8Array): Uint8Array;
  /** The bytes that are left at the end of the output. */
  rest(): Uint8Array;
  /**
   * The stream broke off and the next begins. Returns the index behind which it is to begin, null
   * where it is to begin from the start; what was given before is then left out.
   */
  resume(): number | null;
}

/** JSON Lines, whose records have their index in front. */
export function frameLines(): Framing {
  let held: Uint8Array = new Uint8Array();
  let lastIndex: number | null = null;
  return {
    take(piece) {
      const bytes = join(held, piece);
      const end = bytes.lastIndexOf(newline) + 1;
      held = bytes.subarray(end);
      if (end > 0) lastIndex = indexOf(bytes, end - 1);
      return bytes.subarray(0, end);
    },
    rest: () => held,
    resume() {
      held = new Uint8Array();
      return lastIndex;
    },
  };
}

/**
 * An array with a record a line. The comma behind a record is given with the next one, which may
 * not come any more.
 */
export function frameArray(): Framing {
  let held: Uint8Array = new Uint8Array();
  let lastIndex: number | null = null;
  /** True where the head of the array is still to be left out, since it was given before. */
  let again = false;
  return {
    take(piece) {
      let bytes = join(held, piece);
      if (again) {
        const head = bytes.indexOf(newline) + 1;
        // One byte behind the head tells whether a record follows, or the end of the array.
        if (head === 0 || bytes.length === head) {
          held = bytes;
          return new Uint8Array();
        }
        again = false;
        const follows = bytes[head] !== newline;
        bytes = join(
          follows ? new Uint8Array([comma, newline]) : new Uint8Array(),
          bytes.subarray(head),
        );
      }
      const line = lastRecordEnd(bytes);
      held = bytes.subarray(line);
      if (line > 0) lastIndex = indexOf(bytes, line);
      return bytes.subarray(0, line);
    },
    rest: () => held,
    resume() {
      held = new Uint8Array();
      again = lastIndex !== null;
      return lastIndex;
    },
  };
}

/** The place behind the last record that ends with `},` and a line break; 0 without one. */
function lastRecordEnd(bytes: Uint8Array): number {
  let at = bytes.lastIndexOf(newline);
  while (at > 0 && bytes[at - 1] !== comma) at = bytes.lastIndexOf(newline, at - 1);
  return Math.max(0, at - 1);
}

/** The index of the record whose line ends before `end`. */
function indexOf(bytes: Uint8Array, end: number): number | null {
  const start = bytes.lastIndexOf(newline, end - 1) + 1;
  const head = new TextDecoder().decode(bytes.subarray(start, Math.min(end, start + 40)));
  const index = /^\{"index":(\d+),/.exec(head)?.[1];
  return index === undefined ? null : Number(index);
}

/**
 * Records that have no index: they are counted. `isWhole` says that the output has every item, so
 * that the number of records is the place; else it is read from the start, and what was given is
 * left out. A line break inside of quotes is not the end of a record of CSV.
 */
export function frameCounted({
  hasHeader,
  isWhole,
}: {
  hasHeader: boolean;
  isWhole: boolean;
}): Framing {
  let held: Uint8Array = new Uint8Array();
  /** Bytes of `held` that were looked at. */
  let seen = 0;
  let quoted = false;
  let records = 0;
  /** Records that are to be left out. */
  let skip = 0;
  return {
    take(piece) {
      const bytes = join(held, piece);
      let from = 0;
      let end = 0;
      for (let at = seen; at < bytes.length; at += 1) {
        const byte = bytes[at];
        if (byte === quote && hasHeader) quoted = !quoted;
        if (byte !== newline || quoted) continue;
        end = at + 1;
        if (skip > 0) {
          skip -= 1;
          from = end;
        } else {
          records += 1;
        }
      }
      held = bytes.subarray(end);
      seen = held.length;
      return bytes.subarray(from, end);
    },
    rest: () => held,
    resume() {
      held = new Uint8Array();
      seen = 0;
      quoted = false;
      const header = hasHeader ? 1 : 0;
      const items = records - header;
      const place = isWhole && items > 0 ? items - 1 : null;
      skip = place === null ? records : header;
      return place;
    },
  };
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  if (second.length === 0) return first;
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}
