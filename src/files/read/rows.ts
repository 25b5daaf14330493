/** The common part of all readers of rows: number, reject, limit, and hand on to the sink. */
import type { RowSink } from './block-reader.ts';
import type { CustomIds } from './custom-ids.ts';
import {
  maxReasonLength,
  maxRejections,
  maxWarningLength,
  maxWarnings,
  type ReadLimits,
} from './limits.ts';
import { UnreadableFile } from './unreadable.ts';

/** `row` counts from 1: data rows of a CSV file, elements of an array, else lines. */
export interface RowRejection {
  row: number;
  reason: string;
}

export class Rows {
  accepted = 0;
  rejected = 0;
  /** Rows of blank cells alone, which are in neither of the two. */
  blank = 0;
  readonly rejections: RowRejection[] = [];
  /** Notes on what was guessed, skipped or renamed, a sentence each, for the file's owner. */
  readonly warnings: string[] = [];
  readonly sink: RowSink;
  readonly limits: ReadLimits;
  /** Null without a column of custom ids: the place in the file serves. */
  ids: CustomIds | null = null;
  private firstBlank = 0;
  private hasMark = false;

  constructor(sink: RowSink, limits: ReadLimits) {
    this.sink = sink;
    this.limits = limits;
  }

  reject(row: number, reason: string): void {
    this.rejected += 1;
    if (this.rejections.length < maxRejections) {
      this.rejections.push({ row, reason: shortened(reason) });
    }
    this.checkCount();
  }

  /** Counts a row of blank cells alone, which is not an item. */
  skipBlank(row: number): void {
    this.blank += 1;
    if (this.blank === 1) this.firstBlank = row;
  }

  /** Tells the file's owner a sentence that names the row or column and the option for it. */
  warn(sentence: string): void {
    if (this.warnings.length >= maxWarnings) return;
    const isLong = sentence.length > maxWarningLength;
    const told = isLong ? `${sentence.slice(0, maxWarningLength)}…` : sentence;
    if (!this.warnings.includes(told)) this.warnings.push(told.toWellFormed());
  }

  /** Tells of a byte order mark that a row began with, once. */
  warnOfMark(row: number): void {
    if (this.hasMark) return;
    this.hasMark = true;
    this.warn(
      `Row ${row} begins with a byte order mark, as in files that were put together; such marks were taken off`,
    );
  }

  /** Tells of what is known at the end of the file alone. */
  finish(): void {
    const { blank, firstBlank } = this;
    if (blank === 1) this.warn(`Row ${firstBlank} is blank and was skipped`);
    if (blank > 1) {
      this.warn(
        `${blank.toLocaleString('en')} blank rows were skipped, the first is row ${firstBlank}`,
      );
    }
  }

  /**
   * Ends the row that was begun and whose text ends before `at`; its custom id is ids[start, end),
   * or it has none where `ids` is null. The sink must have said that it fits.
   */
  accept(row: number, at: number, ids: Uint8Array | null, start: number, end: number): void {
    if (this.ids !== null) {
      const problem = ids === null ? this.ids.missing() : this.ids.problem(ids, start, end, row);
      if (problem !== null) {
        this.reject(row, problem);
        return;
      }
    }
    this.sink.end(at, this.ids?.areKept ? ids : null, start, end, row);
    this.accepted += 1;
    this.checkCount();
  }

  private checkCount(): void {
    if (this.accepted + this.rejected > this.limits.rows) {
      throw new UnreadableFile(
        'too_large',
        `The file has more than ${this.limits.rows.toLocaleString('en')} rows; split it`,
      );
    }
  }
}

/** A reason may quote a name that is as long as anybody likes. */
function shortened(reason: string): string {
  return reason.length > maxReasonLength
    ? `${reason.slice(0, maxReasonLength).toWellFormed()}…`
    : reason;
}
