import { commaByte, tabByte } from './bytes.ts';
import { type SampledRecord, sampleRecords } from './csv-sample.ts';

const candidates = [...',;\t|'].map((one) => one.charCodeAt(0));
const sampledRecords = 100;
/**
 * A delimiter that looks like prose or like decimals throughout has to agree so much better than
 * one that does not.
 */
const suspicionWeight = 0.3;

export interface DelimiterGuess {
  delimiter: number;
  columns: number;
  /** The share of the first records that have as many cells as the header. */
  agreement: number;
  /** Another one that cuts as many records as evenly, or null. */
  rival: number | null;
}

/**
 * True for delimiters that do not stand in prose, so that a line which they cut as the header is a
 * row.
 */
export function isUnlikeProse(delimiter: number): boolean {
  return !',;: '.includes(String.fromCharCode(delimiter));
}

/**
 * The delimiter of a table whose first bytes are head[start, end): the one that cuts the most of
 * the first records into as many cells as the header. Among equals one goes first that has no blank
 * behind it and is not a decimal comma, then the one that makes the most cells. Where none cuts the
 * header it is `otherwise`. `isWhole`: the head is the whole file.
 */
export function guessDelimiter(
  head: Uint8Array,
  start: number,
  end: number,
  { isWhole, otherwise }: { isWhole: boolean; otherwise: number },
): DelimiterGuess {
  const guesses = candidates.flatMap((delimiter) => {
    // Where a quote may well be text, what it does to the rows must not speak against the
    // delimiter.
    const readings = isUnlikeProse(delimiter) ? [true, false] : [true];
    return readings.flatMap((quotes) => {
      const { records } = sampleRecords(head, start, end, {
        delimiter,
        quotes,
        isWhole,
        max: sampledRecords,
      });
      const columns = records[0]?.cells.length ?? 0;
      if (columns < 2) return [];
      const agreement =
        records.filter(({ cells }) => cells.length === columns).length / records.length;
      const rank = agreement - suspicionWeight * suspicionOf(records, delimiter);
      return [{ delimiter, columns, agreement, rank }];
    });
  });
  const [best, ...others] = guesses.sort(
    (one, other) =>
      other.rank - one.rank ||
      other.columns - one.columns ||
      Number(other.delimiter === otherwise) - Number(one.delimiter === otherwise),
  );
  if (!best) return { delimiter: otherwise, columns: 1, agreement: 0, rival: null };
  const rival = others.find(
    ({ delimiter, agreement }) => delimiter !== best.delimiter && agreement >= best.agreement,
  );
  const { delimiter, columns, agreement } = best;
  return { delimiter, columns, agreement, rival: rival?.delimiter ?? null };
}

/** The share of a delimiter's places that a sentence or a decimal number would explain too. */
function suspicionOf(records: readonly SampledRecord[], delimiter: number): number {
  let places = 0;
  let suspicious = 0;
  for (const { cells, blanks } of records) {
    places += Math.max(0, cells.length - 1);
    suspicious += blanks;
    if (delimiter !== commaByte) continue;
    for (let at = 1; at < cells.length; at += 1) {
      if (/\d$/.test(cells[at - 1] ?? '') && /^\d/.test(cells[at] ?? '')) suspicious += 1;
    }
  }
  return places === 0 ? 0 : Math.min(1, suspicious / places);
}

/** False for bytes that end a line, a cell or a text, and for a part of a character. */
export function canDelimit(byte: number): boolean {
  return byte > 0 && byte < 0x80 && !'"\r\n'.includes(String.fromCharCode(byte));
}

/** A delimiter as `delimiter=` takes it. */
export function nameOfDelimiter(delimiter: number): string {
  return delimiter === tabByte ? 'tab' : `"${String.fromCharCode(delimiter)}"`;
}
