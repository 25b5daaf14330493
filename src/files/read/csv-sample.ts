/** The first records of a table, cut as its reader would cut them: for guessing. */
import { behindBlankLines } from './blank.ts';
import { hasBareReturns, type LineRules, lineEnd } from './csv-lines.ts';
import {
  brokenRecord,
  type CellRules,
  type CsvRecord,
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
  /** Rules by which they were cut; null without a header. */
  rules: CellRules | null;
}

/** A head is read through so many times at most, however its quotes are laid. */
const maxPasses = 3;
/** And so many records are looked at for each that is wanted: blank ones are not. */
const maxLooks = 10;

/**
 * Up to `max` records of head[start, end). A quote that does not fit costs its own line alone,
 * unless the head may simply have ended too early.
 */
export function sampleRecords(
  head: Uint8Array,
  start: number,
  end: number,
  options: { delimiter: number; quotes: boolean; isWhole: boolean; max: number },
): Sample {
  const { delimiter, quotes, isWhole: isLast, max } = options;
  const bareReturns = hasBareReturns(head, start, end);
  const firstLine = (at: number) =>
    behindMarks(head, behindBlankLines(head, at, end, true).next, end);
  let bytesLeft = maxPasses * (end - start);
  let looksLeft = maxLooks * max;
  let begin = firstLine(start);
  let first = readFirstRecord(head, begin, end, { delimiter, quotes, bareReturns, isLast });
  for (; first !== null && isBlankRecord(first.record) && looksLeft > 0; looksLeft -= 1) {
    begin = firstLine(first.record.next);
    first = readFirstRecord(head, begin, end, { delimiter, quotes, bareReturns, isLast });
  }
  if (first === null || begin >= end) return { records: [], rules: null };
  const { record: header, rules } = first;
  const records: SampledRecord[] = [{ ...header, start: begin }];
  let from = header.next;
  while (from < end && records.length < max && bytesLeft > 0 && looksLeft > 0) {
    const at = behindMarks(head, from, end);
    const mayBeBroken = isLast || records.length === 1;
    const record =
      readCsvRecord(head, at, end, { ...rules, isLast }) ??
      (mayBeBroken ? brokenLine(head, at, end, { ...rules, isLast }) : null);
    if (record === null) break;
    bytesLeft -= record.seen - at;
    looksLeft -= 1;
    if (!isBlankRecord(record)) records.push({ ...record, start: at });
    from = record.next;
  }
  return { records, rules };
}

/** The line that a quote which never closes stands in. */
function brokenLine(
  head: Uint8Array,
  start: number,
  end: number,
  rules: LineRules,
): CsvRecord | null {
  const next = lineEnd(head, start, end, rules);
  return next < 0 ? null : brokenRecord(next, end);
}
