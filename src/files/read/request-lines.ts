/**
 * A file for OpenAI's batch API as that API takes it: every line is a row, as it came. Lines that
 * are not requests are noted, and a batch over the file fails with them.
 */

import { isUtf8 } from 'node:buffer';
import { maxCustomIdBytes, maxCustomIdLength } from '../../core/ids.ts';
import { quotedName } from '../../core/quoted-name.ts';
import type { BlockReader, Rest, RowSink } from './block-reader.ts';
import { backslashByte, lineFeedByte, openBrace, quoteByte } from './bytes.ts';
import type { FileReader } from './file-reader.ts';
import { IdTable } from './id-table.ts';
import { decodeString } from './json-bytes.ts';
import { JsonColumns } from './json-columns.ts';
import { JsonScanner } from './json-scanner.ts';
import { incomplete } from './json-value-scanner.ts';
import { maxReasonLength, type ReadLimits } from './limits.ts';
import {
  type LineProblem,
  maxProblems,
  type ProblemReason,
  problemOfRequest,
  type RequestMembers,
  requestMembers,
} from './line-problem.ts';
import { withoutMarks } from './marks.ts';
import { notJson } from './not-json.ts';
import { asItIs } from './transcoder.ts';
import { emptyFile, fileTooLong, UnreadableFile } from './unreadable.ts';
import { Window } from './window.ts';

/** Bytes that are read in one go, so that other requests get their turn. */
const stepBytes = 65_536;

/** Reads rows of OPENAI_JSONL. Throws UnreadableFile for what is not UTF-8 or exceeds a limit. */
export function createRequestLinesReader(sink: RowSink, limits: ReadLimits): FileReader {
  const lines = new RequestLines(sink, limits);
  const window = new Window(lines, limits.rowBytes);
  const text = withoutMarks(asItIs);
  let sizeBytes = 0;
  return {
    *push(chunk) {
      sizeBytes += chunk.length;
      if (sizeBytes > limits.fileBytes) throw fileTooLong(limits.fileBytes);
      for (let at = 0; at < chunk.length; at += stepBytes) {
        window.push(text.push(chunk.subarray(at, at + stepBytes)));
        yield;
      }
    },
    end() {
      if (sizeBytes === 0) throw emptyFile();
      window.push(text.end());
      window.end();
      return {
        format: 'OPENAI_JSONL',
        sizeBytes,
        itemCount: lines.stored,
        columns: [...lines.columns],
        contentField: null,
        customIdField: 'custom_id',
        rejectedCount: lines.problemCount,
        rejections: [],
        problems: lines.problems,
        encoding: 'utf-8',
        blankCount: 0,
        warnings: [],
        duplicateCandidates: [],
      };
    },
  };
}

/** A custom id, which is bytes[start, end). */
interface CustomId {
  bytes: Uint8Array;
  start: number;
  end: number;
}

class RequestLines implements BlockReader {
  stored = 0;
  problemCount = 0;
  readonly problems: LineProblem[] = [];
  private line = 0;
  private readonly sink: RowSink;
  private readonly limits: ReadLimits;
  private readonly scanner: JsonScanner;
  private readonly seen: JsonColumns;
  private readonly ids: IdTable;
  /** For a column the place in `requestMembers` of its name; -1 for all others. */
  private readonly places: number[] = [];
  /** Members of the present line. */
  private readonly members: RequestMembers = new Int32Array(requestMembers.length);

  constructor(sink: RowSink, limits: ReadLimits) {
    this.sink = sink;
    this.limits = limits;
    this.scanner = new JsonScanner({ lines: true, maxDepth: limits.depth });
    this.seen = new JsonColumns(limits.columns, (name) => {
      this.places.push(requestMembers.indexOf(name));
    });
    this.ids = new IdTable(limits.rows);
  }

  get columns(): readonly string[] {
    return this.seen.names;
  }

  read(bytes: Buffer, start: number, end: number, rest: Rest, valid: boolean) {
    bytes[end] = 0;
    let from = start;
    while (from < end) {
      const feed = bytes.indexOf(lineFeedByte, from);
      const isWhole = feed >= 0 && feed < end;
      if (!isWhole && rest !== 'last') return from;
      const stop = isWhole ? feed : end;
      this.line += 1;
      if (!valid && !isUtf8(bytes.subarray(from, stop))) throw this.unreadable('must be UTF-8');
      const begin = this.scanner.skipSpace(bytes, from);
      if (begin < stop) this.take(bytes, { from, begin, stop });
      from = stop + 1;
    }
    return end;
  }

  /** Takes in the line bytes[from, stop), which is not blank: its text begins at `begin`. */
  private take(bytes: Buffer, at: { from: number; begin: number; stop: number }): void {
    const { from, stop } = at;
    const broken = this.jsonProblem(bytes, at);
    if (broken !== null) {
      if (bytes.subarray(from, stop).includes(0)) throw this.unreadable('must not have NUL bytes');
      this.note(broken);
      this.store(bytes, { from, stop, isRequest: false, id: null });
      return;
    }
    this.findMembers(bytes);
    const id = this.customId(bytes);
    const problem = problemOfRequest(bytes, this.scanner, this.members, id !== null);
    this.store(bytes, { from, stop, isRequest: true, id });
    const first = id === null ? 0 : this.ids.enter(id.bytes, id.start, id.end, this.line);
    if (problem !== null) this.note(problem);
    else if (first > 0 && id !== null) this.noteDuplicate(id, first);
  }

  /** Why the line cannot be an object; the scanner has its members where it is one. */
  private jsonProblem(
    bytes: Buffer,
    { from, begin, stop }: { from: number; begin: number; stop: number },
  ): ProblemReason | null {
    const { scanner } = this;
    const isObject = bytes[begin] === openBrace;
    scanner.flaw = null;
    const to = isObject ? scanner.object(bytes, begin, stop) : scanner.value(bytes, begin, stop);
    const behind = to < 0 ? to : scanner.skipSpace(bytes, to);
    if (to === incomplete) return invalidLine('is not JSON: the line ends too early');
    if (to < 0) return invalidLine(notJson(scanner, bytes, stop, { before: -from, of: '' }));
    if (behind < stop) {
      return invalidLine(`is not JSON: something follows the value at byte ${behind - from + 1}`);
    }
    if (scanner.flaw !== null) return invalidLine(scanner.flaw);
    return isObject ? null : invalidLine('must be a JSON object');
  }

  private findMembers(bytes: Buffer): void {
    const { scanner, members, places } = this;
    members.fill(-1);
    for (let member = 0; member < scanner.members; member += 1) {
      const column = this.seen.columnOf(scanner, bytes, member);
      const place = column < 0 ? -1 : (places[column] as number);
      // The last one of a name counts, as for JSON.parse.
      if (place >= 0) members[place] = member;
    }
  }

  /** Null where the present line has none that will do. */
  private customId(bytes: Buffer): CustomId | null {
    const { scanner } = this;
    const member = this.members[0] as number;
    const start = scanner.valueStart[member] ?? 0;
    const end = scanner.valueEnd[member] ?? 0;
    if (member < 0 || bytes[start] !== quoteByte) return null;
    const isPlain = !bytes.subarray(start, end).includes(backslashByte);
    const text = isPlain ? null : decodeString(bytes, start, end);
    const id = text
      ? { bytes: text, start: 0, end: text.length }
      : { bytes, start: start + 1, end: end - 1 };
    return fits(id) ? id : null;
  }

  /** Text that is not JSON goes to `content`: readers take all that is in `fields` for JSON. */
  private store(
    bytes: Buffer,
    row: { from: number; stop: number; isRequest: boolean; id: CustomId | null },
  ): void {
    const { sink } = this;
    const { from, stop, isRequest, id } = row;
    const begin = () => (isRequest ? sink.beginFields() : sink.beginContent());
    let begun = begin();
    while (!sink.fits(begun + stop - from, maxCustomIdBytes)) begun = begin();
    bytes.copy(sink.bytes, begun, from, stop);
    sink.end(begun + stop - from, id?.bytes ?? null, id?.start ?? 0, id?.end ?? 0, this.line);
    this.stored += 1;
    const { rows } = this.limits;
    if (this.stored > rows) {
      throw new UnreadableFile(
        'too_large',
        `The file must have at most ${rows.toLocaleString('en')} lines; split it`,
      );
    }
  }

  private noteDuplicate({ bytes, start, end }: CustomId, first: number): void {
    const customId = Buffer.from(bytes.subarray(start, end)).toString();
    this.note({
      code: 'duplicate_custom_id',
      param: 'custom_id',
      reason: `must have a custom_id of its own; line ${first} has ${quotedName(customId)} too`,
      candidate: { customId, first, second: this.line },
    });
  }

  private note({ reason, ...problem }: ProblemReason): void {
    this.problemCount += 1;
    if (this.problems.length >= maxProblems) return;
    const isLong = reason.length > maxReasonLength;
    this.problems.push({
      line: this.line,
      ...problem,
      reason: isLong ? `${reason.slice(0, maxReasonLength).toWellFormed()}…` : reason,
    });
  }

  private unreadable(mustBe: string): UnreadableFile {
    return new UnreadableFile('invalid', `Line ${this.line} of the file ${mustBe}`);
  }
}

function fits({ bytes, start, end }: CustomId): boolean {
  if (end - start <= maxCustomIdLength) return end > start;
  return Buffer.from(bytes.subarray(start, end)).toString().length <= maxCustomIdLength;
}

function invalidLine(reason: string): ProblemReason {
  return { code: 'invalid_json_line', param: null, reason };
}
