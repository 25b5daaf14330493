/**
 * The body of a create of Anthropic's message batches: `{"requests": [{custom_id, params}, …]}`.
 * Each request is a row of ANTHROPIC_JSONL, as it came. The first that cannot be one refuses all;
 * what is wrong inside its params is its own error later.
 */

import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { maxCustomIdBytes } from '../../core/ids.ts';
import type { BlockReader, Rest, RowSink } from './block-reader.ts';
import {
  closeBrace,
  closeBracket,
  colonByte,
  commaByte,
  openBrace,
  openBracket,
  quoteByte,
} from './bytes.ts';
import { JsonScanner } from './json-scanner.ts';
import { createSkipper, type Skipper } from './json-skipper.ts';
import { incomplete } from './json-value-scanner.ts';
import type { ReadLimits } from './limits.ts';
import { checkParams, findMembers, readCustomId, refused, textOf } from './message-request.ts';
import { notJson } from './not-json.ts';
import { UnreadableFile } from './unreadable.ts';
import { Window } from './window.ts';

/** Bytes that are read in one go, so that others get their turn. */
const stepBytes = 65_536;

/** Requests that were read to their end. */
export interface MessageRequests {
  itemCount: number;
  /** Bytes of the body. */
  sizeBytes: number;
  /** SHA-256 of the requests as they came, in hex. */
  hash: string;
}

/** Throws UnreadableFile, whose message begins with the place: `requests.3.custom_id: …`. */
export function createMessageRequestsReader(
  sink: RowSink,
  limits: Pick<ReadLimits, 'rows' | 'rowBytes' | 'depth'>,
) {
  const body = new MessageRequestsBody(sink, limits);
  const window = new Window(body, limits.rowBytes);
  let sizeBytes = 0;
  return {
    *push(chunk: Buffer): Generator<void, void, undefined> {
      sizeBytes += chunk.length;
      for (let at = 0; at < chunk.length; at += stepBytes) {
        window.push(chunk.subarray(at, at + stepBytes));
        yield;
      }
    },
    end(): MessageRequests {
      window.end();
      return { itemCount: body.count, sizeBytes, hash: body.hash.digest('hex') };
    },
  };
}

type State =
  | 'before'
  | 'first key'
  | 'key'
  | 'skip'
  | 'first request'
  | 'request'
  | 'behind request'
  | 'behind value'
  | 'end';

class MessageRequestsBody implements BlockReader {
  count = 0;
  readonly hash = createHash('sha256');
  private state: State = 'before';
  private hasRequests = false;
  private skipper: Skipper | null = null;
  /** Bytes of the body before the block. */
  private before = 0;
  /** True where what begins at the place reached has its end in the next block. */
  private isShort = false;
  private readonly sink: RowSink;
  private readonly limits: Pick<ReadLimits, 'rows' | 'rowBytes'>;
  private readonly scanner: JsonScanner;
  /** The place of the request that has an id. */
  private readonly ids = new Map<string, number>();

  constructor(sink: RowSink, limits: Pick<ReadLimits, 'rows' | 'rowBytes' | 'depth'>) {
    this.sink = sink;
    this.limits = limits;
    this.scanner = new JsonScanner({ lines: false, maxDepth: limits.depth });
  }

  read(bytes: Buffer, start: number, end: number, rest: Rest, valid: boolean): number {
    bytes[end] = 0;
    let at = this.behindSpace(bytes, start);
    this.isShort = false;
    while (at < end && !this.isShort) {
      at = this.behindSpace(bytes, this.step(bytes, at, end, valid));
    }
    if (rest === 'full' && at === start) throw this.tooLong();
    if (rest === 'last') {
      this.finish();
      return end;
    }
    this.before += at - start;
    return at;
  }

  /** White space ends some of the values that are skipped. */
  private behindSpace(bytes: Buffer, at: number): number {
    return this.state === 'skip' ? at : this.scanner.skipSpace(bytes, at);
  }

  /** Takes one step from bytes[at], and returns where it led to. */
  private step(bytes: Buffer, at: number, end: number, valid: boolean): number {
    const byte = bytes[at];
    switch (this.state) {
      case 'before':
        if (byte !== openBrace) throw noObject();
        this.state = 'first key';
        return at + 1;
      case 'first key':
      case 'key':
        if (this.state === 'first key' && byte === closeBrace) {
          this.state = 'end';
          return at + 1;
        }
        return this.beginMember(bytes, at, end);
      case 'skip': {
        const to = (this.skipper as Skipper).skip(bytes, at, end);
        if (this.skipper?.done) this.state = 'behind value';
        return to;
      }
      case 'first request':
        this.state = byte === closeBracket ? 'behind value' : 'request';
        return byte === closeBracket ? at + 1 : at;
      case 'request':
        return this.readRequest(bytes, at, end, valid);
      case 'behind request':
        if (byte !== commaByte && byte !== closeBracket) {
          throw this.broken(at, 'a comma or a closing bracket', `requests.${this.count - 1}`);
        }
        this.state = byte === commaByte ? 'request' : 'behind value';
        return at + 1;
      case 'behind value':
        if (byte !== commaByte && byte !== closeBrace) {
          throw this.broken(at, 'a comma or a closing brace');
        }
        this.state = byte === commaByte ? 'key' : 'end';
        return at + 1;
      case 'end':
        throw this.broken(at, 'the end of the body');
    }
  }

  private beginMember(bytes: Buffer, at: number, end: number): number {
    const { scanner } = this;
    if (bytes[at] !== quoteByte) throw this.broken(at, 'a key in quotes');
    scanner.flaw = null;
    const behind = scanner.string(bytes, at + 1, end);
    const colon = behind < 0 ? end : scanner.skipSpace(bytes, behind);
    if (colon < end && bytes[colon] !== colonByte) throw this.broken(colon, 'a colon');
    const value = colon < end ? scanner.skipSpace(bytes, colon + 1) : end;
    if (value >= end) {
      this.isShort = true;
      return at;
    }
    if (scanner.flaw !== null) throw refused(`The body must be JSON: a key ${scanner.flaw}`);
    if (textOf(bytes, at, behind) !== 'requests') {
      this.skipper = createSkipper();
      this.state = 'skip';
      return value;
    }
    if (this.hasRequests) throw refused('requests: must be there once');
    if (bytes[value] !== openBracket) throw noRequests();
    this.hasRequests = true;
    this.state = 'first request';
    return value + 1;
  }

  private readRequest(bytes: Buffer, at: number, end: number, valid: boolean): number {
    const { scanner, count, limits } = this;
    const place = `requests.${count}`;
    if (bytes[at] !== openBrace) throw refused(`${place}: must be an object`);
    scanner.flaw = null;
    const to = scanner.object(bytes, at, end);
    if (to === incomplete) {
      this.isShort = true;
      return at;
    }
    if (to < 0) {
      const problem = notJson(scanner, bytes, end, { before: this.before, of: ' of the body' });
      throw refused(`${place}: ${problem}`);
    }
    if (to - at > limits.rowBytes) throw this.tooLong();
    if (!valid && !isUtf8(bytes.subarray(at, to))) throw refused(`${place}: must be UTF-8`);
    if (scanner.flaw !== null) throw refused(`${place}: ${scanner.flaw}`);
    if (count >= limits.rows) {
      throw refused(`requests: must have at most ${limits.rows.toLocaleString('en')} requests`);
    }
    this.store(bytes, at, to, this.idOf(bytes, place));
    this.state = 'behind request';
    return to;
  }

  private idOf(bytes: Buffer, place: string): string {
    const { scanner, ids } = this;
    const { id, params } = findMembers(bytes, scanner);
    const customId = readCustomId(bytes, scanner, { id, place });
    const first = ids.get(customId);
    if (first !== undefined) {
      throw refused(`${place}.custom_id: must be unique; requests.${first} has it too`);
    }
    ids.set(customId, this.count);
    checkParams(bytes, scanner, { params, place });
    return customId;
  }

  private store(bytes: Buffer, start: number, end: number, customId: string): void {
    const { sink } = this;
    const length = end - start;
    let begun = sink.beginFields();
    while (!sink.fits(begun + length, maxCustomIdBytes)) begun = sink.beginFields();
    bytes.copy(sink.bytes, begun, start, end);
    const id = Buffer.from(customId);
    this.count += 1;
    sink.end(begun + length, id, 0, id.length, this.count);
    this.hash.update(bytes.subarray(start, end)).update('\n');
  }

  private finish(): void {
    const { state, hasRequests, count } = this;
    if (state === 'before') throw noObject();
    if (state !== 'end') {
      throw refused('The body must be JSON: it ends before its object does');
    }
    if (!hasRequests) throw noRequests();
    if (count === 0) throw refused('requests: must have at least 1 request');
  }

  private broken(at: number, expected: string, place = 'The body'): UnreadableFile {
    const byte = this.before + at + 1;
    const colon = place === 'The body' ? ' must be JSON:' : ': must be JSON;';
    return refused(`${place}${colon} byte ${byte} of the body should be ${expected}`);
  }

  private tooLong(): UnreadableFile {
    const place = this.state === 'request' ? `requests.${this.count}` : 'A name in the body';
    return new UnreadableFile(
      'too_large',
      `${place}: must have at most ${this.limits.rowBytes.toLocaleString('en')} bytes`,
    );
  }
}

function noObject(): UnreadableFile {
  return refused('The body must be a JSON object: {"requests": [{"custom_id": …, "params": …}]}');
}

function noRequests(): UnreadableFile {
  return refused('requests: must be a list of {"custom_id": …, "params": …}');
}
