/** The pages of every list: Relay's four arguments, with sizes that are refused rather than cut. */
import { type ResolveCursorConnectionArgs, resolveCursorConnection } from '@pothos/plugin-relay';
import { z } from 'zod';
import { PageTooLarge } from '../../core/errors.ts';
import type { PlaceInPage } from '../../db/bytes.ts';
import { storableText } from '../../operations/text.ts';
import type { Context } from './context.ts';
import type { KeyList } from './cursors.ts';
import { presentIssues } from './errors.ts';

export const defaultPageSize = 50;
export const maxPageSize = 1_000;
/** The same for people. */
export const maxPageSizeText = maxPageSize.toLocaleString('en');
/** A filter may read all of a list, for a page and for its total: a request affords a few. */
export const filterCost = 24_000;

const size = z
  .int()
  .min(1, `must be between 1 and ${maxPageSizeText}`)
  .max(maxPageSize, `must be at most ${maxPageSizeText}; use after or before for more`)
  .nullish();

/** Cursors made by Winnow. Any other text is looked up as an id, and refused if unknown. */
const cursorText = /^(0|[1-9][0-9]{0,17})$/;
const maxPlaceLength = 512;

const place = storableText
  .max(maxPlaceLength, 'must be a cursor of this list, or the id of one of its entries')
  .nullish();

/** Descriptions and checks of first, after, last and before, for the builder. */
export const pageArgOptions = {
  firstArgOptions: {
    description: `Number of entries after \`after\`, 1 to ${maxPageSizeText}. Default ${defaultPageSize}.`,
    validate: { schema: size as never },
  },
  afterArgOptions: {
    description:
      'Return entries after this cursor. Absent: from the start. The id of an entry serves as its cursor.',
    validate: { schema: place as never },
  },
  lastArgOptions: {
    description: `Number of entries before \`before\`, 1 to ${maxPageSizeText}. Must be absent when first is given.`,
    validate: { schema: size as never },
  },
  beforeArgOptions: {
    description:
      'Return entries before this cursor. Absent: to the end. The id of an entry serves as its cursor.',
    validate: { schema: place as never },
  },
};

export interface PageArgs {
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}

/** The size times the cost of an entry. A size to be refused costs no more than the largest. */
export function pageCost({ first, last }: PageArgs) {
  return { field: 1, multiplier: Math.min(first ?? last ?? defaultPageSize, maxPageSize) };
}

/** The range that is read for a page. */
export type PageRange = ResolveCursorConnectionArgs;

/** Cursors of a list. `find` gives the cursor of the entry with an id; null if unknown. */
export interface Places<Entry> {
  /** Where cursors are no plain numbers. */
  isCursor?(text: string): boolean;
  toCursor(entry: Entry): string;
  find(id: string): Promise<string | null>;
}

/** `read` is asked for one entry more than the page holds: it shows whether a page follows. */
export async function readPage<Entry extends object>(
  args: PageArgs,
  { toCursor, find, isCursor = (text) => cursorText.test(text) }: Places<Entry>,
  read: (range: PageRange) => Promise<Entry[]>,
) {
  const { first, last } = args;
  if (typeof first === 'number' && typeof last === 'number') {
    throw presentIssues([{ path: 'last', message: 'must be absent when first is given' }]);
  }
  const after = await placeOf(args, 'after', { find, isCursor });
  const before = await placeOf(args, 'before', { find, isCursor });
  const { edges, pageInfo } = await resolveCursorConnection(
    {
      args: { first, last, after, before },
      defaultSize: defaultPageSize,
      maxSize: maxPageSize,
      toCursor,
    },
    read,
  );
  return {
    edges,
    pageInfo: {
      ...pageInfo,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

/**
 * The entries of a page, which were cut off behind so many bytes where `isCut`. Only the entry
 * beyond the page may be missing, which tells that there is more; else throws PageTooLarge.
 */
export function wholePage<Entry>(
  { entries, isCut }: { entries: Entry[]; isCut: boolean },
  { limit, after, before, inverted }: PageRange,
  toCursor: (entry: Entry) => string,
): Entry[] {
  if (!isCut) return entries;
  const last = entries.at(-1);
  if (last && entries.length === limit - 1) return [...entries, last];
  throw new PageTooLarge(last ? toCursor(last) : ((inverted ? before : after) ?? null));
}

async function placeOf(
  args: PageArgs,
  path: 'after' | 'before',
  { find, isCursor }: Required<Pick<Places<object>, 'find' | 'isCursor'>>,
): Promise<string | null | undefined> {
  const given = args[path];
  if (given === null || given === undefined || isCursor(given)) return given;
  const cursor = await find(given);
  if (cursor !== null) return cursor;
  const message = 'must be a cursor of this list, or the id of one of its entries';
  throw presentIssues([{ path, message }]);
}

/** A page of a list in the order of its keys. `find` gives the entry with an id. */
export async function readKeyPage<Entry extends PlaceInPage & { key: bigint }>(
  args: PageArgs,
  { budget, cursors }: Pick<Context, 'budget' | 'cursors'>,
  {
    name,
    find,
    list,
  }: {
    name: KeyList;
    find(id: string): Promise<Pick<Entry, 'key'> | null>;
    list(page: KeyRange & { maxBytes: number }): Promise<Entry[]>;
  },
) {
  const toCursor = ({ key }: Pick<Entry, 'key'>) => cursors.seal(name, key);
  const toKey = (cursor: string | undefined) =>
    cursor === undefined ? undefined : (cursors.open(name, cursor) ?? undefined);
  const places = {
    isCursor: (text: string) => cursors.open(name, text) !== null,
    toCursor,
    async find(id: string) {
      const entry = await find(id);
      return entry && toCursor(entry);
    },
  };
  return readPage(args, places, async (range) => {
    const { limit, after, before, inverted } = range;
    const keys = { limit, afterKey: toKey(after), beforeKey: toKey(before), inverted };
    const { rows, isCut } = await budget.read((maxBytes) => list({ ...keys, maxBytes }));
    return wholePage({ entries: rows, isCut }, range, toCursor);
  });
}

interface KeyRange {
  limit: number;
  afterKey: bigint | undefined;
  beforeKey: bigint | undefined;
  inverted: boolean;
}
