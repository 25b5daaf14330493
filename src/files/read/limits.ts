import { maxJsonDepth } from '../../core/json.ts';

/** Limits of one upload. Functions take it as an argument, so that tests use small files. */
export interface ReadLimits {
  /** Bytes of the file as it was sent. */
  fileBytes: number;
  /** Rows, the rejected ones included. */
  rows: number;
  /** Bytes of one row as UTF-8, beyond what models read at once. Bounds an upload's memory. */
  rowBytes: number;
  /** Columns of a CSV file, or different keys of all JSON rows together. */
  columns: number;
  /** Levels of nesting of a JSON row. */
  depth: number;
}

export const readLimits: ReadLimits = {
  fileBytes: 104_857_600,
  rows: 1_000_000,
  rowBytes: 10_485_760,
  columns: 10_000,
  depth: maxJsonDepth,
};

/** Limits of an upload for OpenAI's batch API: its files have up to 200 MB. */
export const requestFileLimits: ReadLimits = { ...readLimits, fileBytes: 209_715_200 };

/** Values of one JSON row: of 10 MB five million could be made, which takes seconds each time. */
export const maxRowValues = 100_000;
/** Bytes of the names of all columns together: room for 10,000 of a hundred characters. */
export const maxNameBytes = 1_048_576;
/** Rejections that are kept; all are counted. */
export const maxRejections = 1_000;
/** Characters that are kept of one. */
export const maxReasonLength = 300;
/** Warnings that are kept: a reader has a few to give, and none for each row. */
export const maxWarnings = 100;
/** UTF-16 units of one warning: names of columns stand in it, which may be of any length. */
export const maxWarningLength = 600;
