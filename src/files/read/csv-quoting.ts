/** The meaning of quotes in a table: not where lines are rows only without quoting. */

import { carriageReturnByte, lineFeedByte } from './bytes.ts';
import { isUnlikeProse } from './csv-delimiter.ts';
import { countPlainRows, lineEnd, plainCells } from './csv-lines.ts';
import type { CellRules } from './csv-record.ts';
import { sampleRecords } from './csv-sample.ts';

/**
 * `said`: quotes mean something, whatever comes of it. `on`: they do, though a row that takes
 * others with it is looked at. `open`: they do as long as no row speaks against it. `off`: they are
 * text.
 */
export type Quoting = 'said' | 'on' | 'open' | 'off';

/** So many records are looked at; the head has fewer, mostly. */
const sampledRecords = 2_000;

/**
 * The quoting of a table whose first bytes are head[start, end), for a delimiter that was said or
 * guessed. Where it is off, `line` is the first that speaks for it.
 */
export function guessQuoting(
  head: Uint8Array,
  start: number,
  end: number,
  { delimiter, isWhole }: { delimiter: number; isWhole: boolean },
): { quoting: Quoting; line: number | null } {
  const on = { quoting: 'on', line: null } as const;
  if (!isUnlikeProse(delimiter)) return on;
  const options = { delimiter, isWhole, max: sampledRecords };
  const { records, rules } = sampleRecords(head, start, end, { ...options, quotes: true });
  const header = records[0];
  if (!header || !rules) return on;
  const off = (at: number) => ({ quoting: 'off' as const, line: lineOf(head, at, rules) });
  if (header.quoted) {
    const swallowed = headerSwallows(head, header.start, header.next, rules);
    return swallowed || !header.wellFormed ? off(header.start) : on;
  }
  const width = header.cells.length;
  if (width < 2) return on;

  let lead = 0;
  let first: number | null = null;
  for (const { start: at, next, cells, lines, quoted } of records) {
    if (!quoted) continue;
    const plain = plainRows(head, at, next, rules, width);
    const isMerged = lines > 1 && plain === lines;
    const rows = cells.length === width && !isMerged ? lines : 0;
    if (plain > rows) first ??= at;
    lead += plain - rows;
  }
  if (lead > 0 && first !== null) return off(first);
  return lead < 0 ? on : { quoting: 'open', line: null };
}

/** True when a header spans lines that each have the first's cells: a quote took rows with it. */
export function headerSwallows(
  bytes: Uint8Array,
  start: number,
  next: number,
  { delimiter, bareReturns }: CellRules,
): boolean {
  const second = lineEnd(bytes, start, next, { bareReturns, isLast: true });
  if (second === next) return false;
  const width = plainCells(bytes, start, second, delimiter);
  const rules = { delimiter, width, bareReturns };
  return width > 1 && countPlainRows(bytes, start, next, rules) > 0;
}

/** Number of lines of bytes[start, end) that are rows by themselves. */
function plainRows(
  bytes: Uint8Array,
  start: number,
  end: number,
  { delimiter, bareReturns }: CellRules,
  width: number,
): number {
  let rows = 0;
  for (let at = start; at < end; ) {
    const next = lineEnd(bytes, at, end, { bareReturns, isLast: true });
    if (plainCells(bytes, at, next, delimiter) === width) rows += 1;
    at = next;
  }
  return rows;
}

function lineOf(head: Uint8Array, at: number, { bareReturns }: CellRules): number {
  const lineBreak = bareReturns ? carriageReturnByte : lineFeedByte;
  let line = 1;
  for (let from = 0; from < at; from += 1) if (head[from] === lineBreak) line += 1;
  return line;
}
