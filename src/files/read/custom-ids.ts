/** Custom ids as they come by: which rows lack a fit one, and which may repeat one. */

import { withoutBlanks } from '../../core/blank-characters.ts';
import { maxCustomIdLength } from '../../core/ids.ts';
import { quotedName } from '../../core/quoted-name.ts';
import { blankByte } from './bytes.ts';
import { IdTable } from './id-table.ts';
import { UnreadableFile } from './unreadable.ts';

/**
 * Importance of a custom id. `required`: a row without a proper one is rejected, a duplicate
 * refuses the file. `repeatable` (results, which may be those of several tries): the same, but
 * duplicates are none. `watched` (a column that is merely called id, and has none in the first
 * rows): rows have their place in the file instead, and one that has an id after all refuses the
 * file, since both cannot be meant.
 */
export type IdRule = 'required' | 'repeatable' | 'watched';

/** Rows with one custom id, it seems, but for white space around it: their hashes are equal. */
export interface DuplicateCandidate {
  customId: string;
  /** Row numbers. */
  first: number;
  second: number;
}

/**
 * So many equal hashes of 64 bits are no accident: some are duplicates, whatever a closer look
 * would say.
 */
const maxCandidates = 16;

export class CustomIds {
  readonly candidates: DuplicateCandidate[] = [];
  /** True where rows have them; else their places in the file serve. */
  readonly areKept: boolean;
  private readonly field: string;
  private readonly rule: IdRule;
  private readonly table: IdTable;

  constructor(field: string, rule: IdRule, maxRows: number) {
    this.field = field;
    this.rule = rule;
    this.areKept = rule !== 'watched';
    this.table = new IdTable(rule === 'required' ? maxRows : 0);
  }

  /** Why a row with the id bytes[start, end) is to be rejected, or null. Throws UnreadableFile. */
  problem(bytes: Uint8Array, start: number, end: number, row: number): string | null {
    let from = start;
    let to = end;
    while (from < to && (bytes[from] as number) <= blankByte) from += 1;
    while (to > from && (bytes[to - 1] as number) <= blankByte) to -= 1;
    if (from === to) return this.missing();
    let bare = bytes;
    if ((bytes[from] as number) >= 0x80 || (bytes[to - 1] as number) >= 0x80) {
      bare = Buffer.from(withoutBlanks(Buffer.from(bytes.subarray(from, to)).toString()));
      [from, to] = [0, bare.length];
      if (to === 0) return this.missing();
    }
    if (end - start > maxCustomIdLength && lengthOf(bytes, start, end) > maxCustomIdLength) {
      return this.unfit(`has more than ${maxCustomIdLength} characters`);
    }
    if (this.rule === 'watched') throw lateId(this.field, row);
    if (this.rule === 'repeatable') return null;
    // Two that differ in white space alone are one to a reader that joins by them.
    const first = this.table.enter(bare, from, to, row);
    if (first !== 0) {
      const customId = Buffer.from(bytes.subarray(start, end)).toString();
      this.noteCandidate({ customId, first, second: row });
    }
    return null;
  }

  /** The same for a row that has none. */
  missing(): string | null {
    return this.areKept ? `has no custom id in ${quotedName(this.field)}` : null;
  }

  /** The same for a row whose custom id cannot be one. */
  unfit(reason: string): string | null {
    return this.areKept ? `has a custom id in ${quotedName(this.field)} that ${reason}` : null;
  }

  private noteCandidate(candidate: DuplicateCandidate): void {
    this.candidates.push(candidate);
    if (this.candidates.length > maxCandidates) {
      throw duplicateIds(this.candidates[0] as DuplicateCandidate);
    }
  }
}

/** True where a value of the column could be a custom id. */
export function canBeId(value: unknown): boolean {
  if (typeof value === 'number') return true;
  return (
    typeof value === 'string' && withoutBlanks(value) !== '' && value.length <= maxCustomIdLength
  );
}

/** Refuses the file. */
export function duplicateIds(
  { customId, first, second }: DuplicateCandidate,
  { butForBlanks = false } = {},
): UnreadableFile {
  const same = butForBlanks ? 'the same custom id but for white space' : 'the same custom id';
  return new UnreadableFile(
    'invalid',
    `Rows ${first} and ${second} have ${same}, ${JSON.stringify(shown(customId))}; custom ids are unique. customIdField= names another column; customIdField= with nothing behind it gives each row its place in the file, counted from 0`,
  );
}

function lateId(field: string, row: number): UnreadableFile {
  const name = quotedName(field);
  return new UnreadableFile(
    'invalid',
    `Row ${row} has a custom id in ${name}, and the rows before it have none. Give each of them one, or name another column by customIdField=; customIdField= with nothing behind it gives each row its place in the file, counted from 0`,
  );
}

function shown(customId: string): string {
  return customId.length > 80 ? `${customId.slice(0, 80).toWellFormed()}…` : customId;
}

function lengthOf(bytes: Uint8Array, start: number, end: number): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString().length;
}
