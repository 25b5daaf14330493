/** The lines of a dump, and the rows between them, in pieces of any size. */
import { Buffer } from 'node:buffer';
import { RestoreRefused } from './form.ts';

const lineBreak = 0x0a;
const endOfRows = Buffer.from('\\.\n');
const endBehindRow = Buffer.from('\n\\.\n');
/** A longer line is none of a dump's own. */
const maxLineBytes = 65_536;

export class DumpReader {
  readonly #pieces: AsyncIterator<Buffer>;
  /** Bytes that were read and not yet given; they begin where a line does. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(pieces: AsyncIterable<Buffer>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** The next line that is not empty. Null at the end, and where there are no lines. */
  async line(): Promise<string | null> {
    for (;;) {
      const end = this.#rest.indexOf(lineBreak);
      if (end >= 0) {
        const line = this.#take(end + 1).toString('utf8', 0, end);
        if (line !== '') return line;
      } else if (this.#rest.length > maxLineBytes || !(await this.#readMore())) return null;
    }
  }

  /** Whole rows, up to the line that ends them. Throws RestoreRefused where the file ends. */
  async *rows(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      if (this.#rest.subarray(0, endOfRows.length).equals(endOfRows)) {
        this.#take(endOfRows.length);
        return;
      }
      const end = this.#rest.indexOf(endBehindRow);
      const whole = end >= 0 ? end + 1 : this.#rest.lastIndexOf(lineBreak) + 1;
      if (whole > 0) yield this.#take(whole);
      else if (!(await this.#readMore()))
        throw new RestoreRefused('The dump must be whole, and it ends within rows');
    }
  }

  #take(bytes: number): Buffer {
    const taken = this.#rest.subarray(0, bytes);
    this.#rest = this.#rest.subarray(bytes);
    return taken;
  }

  async #readMore(): Promise<boolean> {
    const { value, done } = await this.#pieces.next();
    if (done) return false;
    this.#rest = this.#rest.length === 0 ? value : Buffer.concat([this.#rest, value]);
    return true;
  }
}
