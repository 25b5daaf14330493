/** The first records of a table, cut as its reader would cut them: for guessing. */
import { lineEnd } from './csv-lines.ts';
import {
  type CellRules,
  type CsvRecord,
  isBlankLine,
  isBlankRecord,
  readCsvRecord,
  readFirstRecord,
} from './csv-record.ts';
import { behindMarks } from './marks.ts';

export interface SampledRecord extends CsvRecord {
  start: number;
}

export interface Sample {
  /** The header is the first. Blank ones are left out. */
  records: SampledRecord[];
  /** How they were cut; null when there is no header. */
  rules: CellRules | null;
}

/** A head is read through so many times at most, however its quotes are laid. */
const maxPasses = 8;

/**
 * Up to `max` records of head[start, end). A quote that does not fit costs its own line alone, unless the head may
 * simply have ended too early.
 */
export function sampleRecords(
  head: Uint8Array,
  start: number,
  end: number,
  options: { delimiter: number; quotes: boolean; isWhole: boolean; max: number },
): Sample {
  const { delimiter, quotes, isWhole, max } = options;
  const records: SampledRecord[] = [];
  let rules: CellRules | null = null;
  let left = maxPasses * (end - start);
  for (let from = start; from < end && records.length < max && left > 0; ) {
    const at = behindMarks(head, from, end);
    let record: CsvRecord | null;
    if (rules === null) {
      const first = readFirstRecord(head, at, end, { delimiter, quotes, isLast: isWhole });
      record = first?.record ?? null;
      if (first === null || record === null) break;
      if (!isBlankLine(record)) {
        rules = first.rules;
        records.push({ ...record, start: at });
      }
    } else {
      record =
        readCsvRecord(head, at, end, { ...rules, isLast: isWhole }) ??
        (isWhole || records.length === 1 ? brokenLine(head, at, end, rules, isWhole) : null);
      if (record === null) break;
      if (!isBlankRecord(record)) records.push({ ...record, start: at });
    }
    left -= record.seen - at;
    from = record.next;
  }
  return { records, rules };
}

/** The line that a quote which never closes stands in. */
function brokenLine(
  head: Uint8Array,
  start: number,
  end: number,
  { bareReturns }: CellRules,
  isLast: boolean,
): CsvRecord | null {
  const next = lineEnd(head, start, end, { bareReturns, isLast });
  if (next < 0) return null;
  return {
    cells: [],
    lines: 1,
    wellFormed: false,
    quoted: true,
    blanks: 0,
    bareReturn: false,
    next,
    seen: end,
  };
}
