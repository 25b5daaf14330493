/**
 * A file as it arrives: finds out what it is from its first bytes, then reads its rows into a sink.
 * Synchronous; the caller has the backpressure.
 */

import { quotedName } from '../../core/quoted-name.ts';
import { refuseBinary } from './binary.ts';
import type { BlockReader, RowSink } from './block-reader.ts';
import { memberChecks } from './chat-lines.ts';
import { CsvReader } from './csv.ts';
import { guessDialect } from './csv-dialect.ts';
import { hasIds } from './csv-ids.ts';
import type { DuplicateCandidate } from './custom-ids.ts';
import { createTranscoder } from './encoding.ts';
import { customIdOnly } from './fields.ts';
import type { FileFormat } from './format.ts';
import { createJsonReader } from './json-document.ts';
import { createJsonLinesReader } from './json-lines.ts';
import { contentColumn, JsonRows } from './json-rows.ts';
import { JsonScanner } from './json-scanner.ts';
import type { ReadLimits } from './limits.ts';
import type { LineProblem } from './line-problem.ts';
import { withoutMarks } from './marks.ts';
import type { ReadOptions } from './read-options.ts';
import { refuseFields, refuseStrangers } from './refused-options.ts';
import { type RowRejection, Rows } from './rows.ts';
import { sniffFormat } from './sniff.ts';
import { createTextReader } from './text.ts';
import { toldOfText } from './told-fields.ts';
import type { Transcoder } from './transcoder.ts';
import { emptyFile, fileTooLong, UnreadableFile } from './unreadable.ts';
import { Window } from './window.ts';

/** Bytes that are collected before the format is decided. */
const headBytes = 65_536;
/** Bytes that are read in one go, so that other requests get their turn. */
const defaultStepBytes = 65_536;

/** A file that was read to its end. */
export interface Reading {
  format: FileFormat;
  sizeBytes: number;
  itemCount: number;
  /** A CSV header's cells as they came; JSON keys by appearance; `content` where rows are text. */
  columns: string[];
  contentField: string | null;
  customIdField: string | null;
  rejectedCount: number;
  rejections: RowRejection[];
  /** The first lines of a file for OpenAI's batch API that are not requests. */
  problems: readonly LineProblem[];
  /** `utf-8`, `utf-16le`, `utf-16be`, `windows-1252`, or another charset that was named. */
  encoding: string;
  /** Rows of blank cells alone, and blank lines of a text file; neither items nor rejected. */
  blankCount: number;
  /** Notes on what was guessed, skipped or renamed, a sentence each. */
  warnings: string[];
  /** Rows that seem to have the same custom id; somebody has to look. */
  duplicateCandidates: readonly DuplicateCandidate[];
}

export interface FileReader {
  /** Takes in the next bytes, of any number. Throws UnreadableFile. */
  push(chunk: Buffer): Iterable<void>;
  /** The file has ended. Throws UnreadableFile. */
  end(): Reading;
}

export function createFileReader({
  sink,
  name,
  contentType,
  options,
  limits,
  stepBytes = defaultStepBytes,
}: {
  sink: RowSink;
  name: string;
  contentType: string | null;
  options: ReadOptions;
  limits: ReadLimits;
  stepBytes?: number | undefined;
}): FileReader {
  const rows = new Rows(sink, limits);
  const { mediaType, charset } = parseContentType(contentType);
  let sizeBytes = 0;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let file: Decided | null = null;

  /** Decides once there is enough to decide from. */
  function decide(isWhole: boolean): Decided {
    const bytes = Buffer.concat(pending);
    pending = [];
    if (bytes.length === 0) throw emptyFile();
    refuseBinary(bytes);
    const known = {
      head: bytes,
      isWhole,
      asked: options.charset ?? null,
      named: charset,
      warn: (sentence: string) => rows.warn(sentence),
    };
    const guess = withoutMarks(createTranscoder(known));
    let head = guess.push(bytes);
    if (isWhole) head = Buffer.concat([head, guess.end()]);
    if (head.length === 0) throw emptyFile();
    const otherwise = saysTabs(name, mediaType) ? 0x09 : 0x2c;
    const { format, told } = sniffFormat({ head, isWhole, options, name, mediaType });
    if (told !== null) rows.warn(told);
    const decided = {
      transcoder: withoutMarks(createTranscoder(known)),
      ...createParts({ format, head, isWhole, rows, options, otherwise }),
    };
    for (let at = 0; at < bytes.length; at += stepBytes) {
      decided.window.push(decided.transcoder.push(bytes.subarray(at, at + stepBytes)));
    }
    return decided;
  }

  return {
    *push(chunk) {
      sizeBytes += chunk.length;
      if (sizeBytes > limits.fileBytes) {
        throw fileTooLong(limits.fileBytes);
      }
      for (let at = 0; at < chunk.length; at += stepBytes) {
        const step = chunk.subarray(at, at + stepBytes);
        if (file) {
          file.window.push(file.transcoder.push(step));
        } else {
          pending.push(step);
          pendingBytes += step.length;
          if (pendingBytes >= headBytes) file = decide(false);
        }
        yield;
      }
    },

    end() {
      file ??= decide(true);
      file.window.push(file.transcoder.end());
      file.window.end();
      const fields = file.finish();
      const told = toldOfText(
        { format: file.format, areRequests: file.areRequests(), ...fields },
        options,
      );
      if (told !== null) rows.warn(told);
      rows.finish();
      if (rows.accepted === 0) throw nothingRead(rows, file.format, fields.columns.length > 0);
      return {
        format: file.format,
        sizeBytes,
        itemCount: rows.accepted,
        rejectedCount: rows.rejected,
        rejections: rows.rejections,
        problems: [],
        encoding: file.transcoder.encoding,
        blankCount: rows.blank,
        warnings: rows.warnings,
        ...fields,
      };
    },
  };
}

type Decided = Parts & { transcoder: Transcoder };

interface Parts {
  format: FileFormat;
  window: Window;
  /** True where its rows are complete requests, as far as was looked. */
  areRequests(): boolean;
  finish(): Pick<Reading, 'columns' | 'contentField' | 'customIdField' | 'duplicateCandidates'>;
}

function createParts({
  format,
  head,
  isWhole,
  rows,
  options,
  otherwise,
}: {
  format: FileFormat;
  head: Buffer;
  isWhole: boolean;
  rows: Rows;
  options: ReadOptions;
  /** The delimiter of a table that does not tell its own. */
  otherwise: number;
}): Parts {
  const withReader = (
    reader: BlockReader,
    finish: Parts['finish'],
    areRequests = () => false,
  ): Parts => ({
    format,
    window: new Window(reader, rows.limits.rowBytes),
    areRequests,
    finish,
  });

  refuseStrangers(options, format);
  if (format === 'TEXT') {
    refuseFields(options, 'a text file has no columns: each line is a row');
    const isOldMac = !head.includes(0x0a) && head.includes(0x0d);
    return withReader(createTextReader(rows, isOldMac ? 0x0d : 0x0a), () => ({
      columns: [contentColumn],
      contentField: null,
      ...idFields(rows, null),
    }));
  }
  if (format === 'CSV') {
    const dialect = guessDialect(head, isWhole, { ...options, otherwise });
    for (const warning of dialect.warnings) rows.warn(warning);
    const reader = new CsvReader(rows, dialect, options, (column) =>
      hasIds(head, { ...dialect, isWhole, column }),
    );
    return withReader(reader, () => {
      reader.finish();
      return {
        columns: reader.header ?? [],
        contentField: reader.fields?.contentField ?? null,
        ...idFields(rows, reader.fields),
      };
    });
  }
  const lines = format !== 'JSON';
  const scanner = new JsonScanner({ lines, maxDepth: rows.limits.depth });
  const json = new JsonRows(rows, scanner, memberChecks[format] ?? null);
  if (memberChecks[format]) {
    refuseFields(options, 'each line is a request or a result with its custom_id');
    json.setFields(customIdOnly(format === 'OPENAI_RESULTS' ? 'repeatable' : 'required'));
  }
  const create = lines ? createJsonLinesReader : createJsonReader;
  return withReader(
    create(rows, json, scanner, options),
    () => ({
      columns: memberChecks[format] ? [...json.columns] : json.allColumns(),
      contentField: json.fields?.contentField ?? null,
      ...idFields(rows, json.fields),
    }),
    () => json.areRequests,
  );
}

function saysTabs(name: string, mediaType: string | null): boolean {
  return /\.(tsv|tab)$/i.test(name) || mediaType === 'text/tab-separated-values';
}

function idFields(rows: Rows, fields: { customIdField: string | null } | null) {
  const given = fields?.customIdField ?? null;
  const isKept = given !== null && rows.ids?.areKept === true;
  if (given !== null && !isKept) {
    rows.warn(
      `No row has a custom id in ${quotedName(given)}, so that a row has its place in the file, counted from 0; customIdField= names another column`,
    );
  }
  return {
    customIdField: isKept ? given : null,
    duplicateCandidates: rows.ids?.candidates ?? [],
  };
}

function nothingRead(rows: Rows, format: FileFormat, hasColumns: boolean): UnreadableFile {
  const [first] = rows.rejections;
  if (!first && rows.blank > 0) {
    const blank = rows.blank === 1 ? 'a blank row' : `${rows.blank} blank rows`;
    return new UnreadableFile('invalid', `The file has ${blank} and no others`);
  }
  if (!first) {
    return new UnreadableFile(
      'invalid',
      format !== 'CSV'
        ? 'The file has no rows'
        : hasColumns
          ? 'The CSV file has a header and no rows'
          : 'The CSV file has no header; all its lines are blank',
    );
  }
  return new UnreadableFile(
    'invalid',
    `No row of the file could be read as ${format}; row ${first.row} ${first.reason}`,
  );
}

/** Nothing about a header that cannot be understood. */
function parseContentType(contentType: string | null): {
  mediaType: string | null;
  charset: string | null;
} {
  const [mediaType = '', ...parameters] = (contentType ?? '').slice(0, 1_000).split(';');
  const charset = parameters
    .map((parameter) => /^\s*charset\s*=\s*"?([^"\s]+)"?\s*$/i.exec(parameter)?.[1])
    .find((found) => found !== undefined);
  return { mediaType: mediaType.trim().toLowerCase() || null, charset: charset ?? null };
}
