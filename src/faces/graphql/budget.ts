/**
 * Limits of one request on what others need too: items answered at once and their prompts, rows
 * submitted, bytes read and sent. All operations and aliases of a request share the limits, so that
 * asking twice gives nothing twice.
 */

import { maxInlineItems, maxSyncItems } from '../../app/inputs.ts';
import { AppError, PageTooLarge } from '../../core/errors.ts';
import type { PlaceInPage } from '../../db/bytes.ts';
import { readLimits } from '../../files/read/limits.ts';

/** Characters of the prompts of items that are answered at once: two of the longest ones. */
export const maxPromptCharacters = 16_000_000;
/** Bytes of rows and answers that are read for a request. */
export const maxReadBytes = 16 * 1_048_576;
/** Bytes of them in its answer: the text of a row may stand in several fields. */
export const maxSentBytes = 2 * maxReadBytes;
/** Entries of lists that no page bounds, times the fields that are asked for of each. */
export const maxListValues = 250_000;
/** Pages up to this size need not wait for each other. */
export const smallBytes = 1_048_576;

/** Bytes that may be read now. `first`: the first row may be larger. */
interface Allowance {
  bytes: number;
  first: boolean;
}

type Load<Row> = (maxBytes: number) => Promise<readonly Row[]>;

/** Rows that were read, as many of them as the allowance holds. */
export interface Measured<Row> {
  rows: Row[];
  bytes: number;
  /** There is more, which did not fit. */
  isCut: boolean;
}

export interface Budget {
  takeItems(count: number): void;
  /** Takes room for the prompts of items that are answered at once. */
  takePrompts(characters: number): void;
  takeInlineItems(count: number): void;
  takeFileRows(count: number): void;
  takeListValues(count: number): void;
  /**
   * Reads in turn with the other reads of the request; more than a little in turn with the owner's
   * other requests, until `end`.
   */
  read<Row extends PlaceInPage>(load: Load<Row>): Promise<Measured<Row>>;
  /** The same. Throws PageTooLarge where not all rows fit. */
  readWhole<Row extends PlaceInPage>(load: Load<Row>): Promise<Measured<Row>>;
  /** Counts what goes into the answer. Throws PageTooLarge with the cursor to go on behind. */
  send(bytes: number, cursor: string | null): void;
  /** The request has been executed. */
  end(): void;
}

/** Gives each request its budget, and lets those of an owner that read much wait for each other. */
export function createBudgets(): { begin(owner: string): Budget } {
  /** By owner, the end of the last request that reads much. */
  const large = new Map<string, Promise<void>>();

  async function turn(owner: string): Promise<() => void> {
    const before = large.get(owner);
    let leave = () => undefined as unknown;
    const mine = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const all = Promise.all([before, mine]).then(() => {
      if (large.get(owner) === all) large.delete(owner);
    });
    large.set(owner, all);
    await before;
    return leave;
  }

  return {
    begin(owner) {
      let [items, prompts, inlineItems, fileRows] = [0, 0, 0, 0];
      let [listValues, readBytes, sentBytes] = [0, 0, 0];
      let lastRead: Promise<unknown> = Promise.resolve();
      let leave: Promise<() => void> | null = null;
      let ended = false;

      async function readNext<Row extends PlaceInPage>(load: Load<Row>): Promise<Measured<Row>> {
        const within = async (bytes: number) =>
          measure(await load(bytes), { bytes, first: readBytes === 0 });
        const left = Math.max(0, maxReadBytes - readBytes);
        let page: Measured<Row> | null = null;
        if (leave === null) {
          page = await within(Math.min(left, smallBytes));
          if (page.isCut) page = null;
        }
        if (page === null) {
          leave ??= turn(owner);
          const leaving = await leave;
          if (ended) leaving();
          page = await within(left);
        }
        readBytes += page.bytes;
        return page;
      }

      function read<Row extends PlaceInPage>(load: Load<Row>): Promise<Measured<Row>> {
        const page = lastRead.then(() => readNext(load));
        lastRead = page.catch(() => undefined); // the next one's turn, whatever came of this
        return page;
      }

      return {
        takeItems(count) {
          items += count;
          if (items > maxSyncItems) throw tooMuch(`${maxSyncItems} items at once`);
        },
        takePrompts(characters) {
          prompts += characters;
          if (prompts > maxPromptCharacters) throw promptsTooLong(prompts);
        },
        takeInlineItems(count) {
          inlineItems += count;
          if (inlineItems > maxInlineItems) {
            throw tooMuch(`${maxInlineItems.toLocaleString('en')} inline items`);
          }
        },
        takeFileRows(count) {
          fileRows += count;
          if (fileRows > readLimits.rows) {
            throw tooMuch(`${readLimits.rows.toLocaleString('en')} rows of files`);
          }
        },
        takeListValues(count) {
          listValues += count;
          if (listValues > maxListValues) {
            throw new AppError(
              'PAYLOAD_TOO_LARGE',
              `The lists inside of the entries must have at most ${maxListValues.toLocaleString('en')} values together; ask for fewer entries or fields`,
            );
          }
        },
        read,
        async readWhole(load) {
          const page = await read(load);
          if (page.isCut) throw new PageTooLarge(null);
          return page;
        },
        send(bytes, cursor) {
          if (sentBytes > 0 && sentBytes + bytes > maxSentBytes) {
            // What is smaller comes behind it, and would leave a gap.
            sentBytes = Number.POSITIVE_INFINITY;
            throw new PageTooLarge(cursor);
          }
          sentBytes += bytes;
        },
        end() {
          ended = true;
          void leave?.then((leaving) => leaving());
        },
      };
    },
  };
}

function tooMuch(what: string): AppError {
  return new AppError(
    'PAYLOAD_TOO_LARGE',
    `All operations of a request together must have at most ${what}; send the others in other requests`,
  );
}

function promptsTooLong(characters: number): AppError {
  const [given, allowed] = [characters, maxPromptCharacters].map((n) => n.toLocaleString('en'));
  return new AppError(
    'PAYLOAD_TOO_LARGE',
    `The prompts of this request must have at most ${allowed} characters together, not ${given}; submitBatch takes more`,
  );
}

/** The rows that fit into an allowance. */
export function measure<Row extends PlaceInPage>(
  rows: readonly Row[],
  { bytes, first }: Allowance,
): Measured<Row> {
  const fitting = rows.filter(({ bytesSoFar }, at) => bytesSoFar <= bytes || (first && at === 0));
  return {
    rows: fitting,
    bytes: fitting.at(-1)?.bytesSoFar ?? 0,
    isCut: fitting.length < (rows[0]?.rowsOfPage ?? 0),
  };
}
