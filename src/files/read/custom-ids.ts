/** Custom ids as they come by: which rows have none that will do, and which may have one that was there before. */
import { IdTable } from './id-table.ts';
import { maxCustomIdLength } from './limits.ts';
import { UnreadableFile } from './unreadable.ts';

/**
 * How much a custom id matters. `required`: a row without a proper one is rejected, a duplicate refuses the file. `offered` (a column
 * that is merely called id): one row without a proper one, or a duplicate, and the file's rows have their index instead. `repeatable`
 * (results, which may be those of several tries): a row without a proper one is rejected, duplicates are none.
 */
export type IdRule = 'required' | 'offered' | 'repeatable';

/** Rows that seem to have one custom id, the same hash at least. */
export interface DuplicateCandidate {
  customId: string;
  /** Row numbers. */
  first: number;
  second: number;
}

/** So many equal hashes of 64 bits are no accident: some are duplicates, whatever a closer look would say. */
const maxCandidates = 16;

export class CustomIds {
  readonly candidates: DuplicateCandidate[] = [];
  /** True once the ids that were offered have turned out not to be any. */
  abandoned = false;
  private readonly rule: IdRule;
  private readonly table: IdTable;

  constructor(rule: IdRule, maxRows: number) {
    this.rule = rule;
    this.table = new IdTable(maxRows);
  }

  /** Why a row with the id bytes[start, end) is to be rejected, or null. `abandoned` is to be looked at behind each call. */
  problem(bytes: Uint8Array, start: number, end: number, row: number): string | null {
    if (end === start) return this.without('has an empty custom id');
    if (end - start > maxCustomIdLength && lengthOf(bytes, start, end) > maxCustomIdLength) {
      return this.without(`has a custom id of more than ${maxCustomIdLength} characters`);
    }
    if (this.rule === 'repeatable') return null;
    const first = this.table.enter(bytes, start, end, row);
    if (first !== 0)
      this.noteCandidate(Buffer.from(bytes.subarray(start, end)).toString(), first, row);
    return null;
  }

  /** The same for a row that has no id that could be looked at. */
  without(reason: string): string | null {
    if (this.rule !== 'offered') return reason;
    this.abandoned = true;
    return null;
  }

  private noteCandidate(customId: string, first: number, second: number): void {
    this.candidates.push({ customId, first, second });
    if (this.candidates.length <= maxCandidates) return;
    if (this.rule === 'offered') this.abandoned = true;
    else throw duplicateIds(this.candidates[0] as DuplicateCandidate);
  }
}

/** Refuses the file. */
export function duplicateIds({ customId, first, second }: DuplicateCandidate): UnreadableFile {
  return new UnreadableFile(
    'invalid',
    `Rows ${first} and ${second} have the same custom id, ${JSON.stringify(shown(customId))}; custom ids are unique. Name another column by customIdField, or leave customIdField empty so that a row has its index`,
  );
}

function shown(customId: string): string {
  return customId.length > 80 ? `${customId.slice(0, 80).toWellFormed()}…` : customId;
}

function lengthOf(bytes: Uint8Array, start: number, end: number): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString().length;
}
