/** The pages of every list: Relay's four arguments, with sizes that are refused rather than cut. */
import { type ResolveCursorConnectionArgs, resolveCursorConnection } from '@pothos/plugin-relay';
import { z } from 'zod';
import { presentIssues } from './errors.ts';

export const defaultPageSize = 50;
export const maxPageSize = 1_000;

const size = z
  .int()
  .min(1, `needs 1 to ${maxPageSize}`)
  .max(maxPageSize, `takes at most ${maxPageSize}; page with after or before for more`)
  .nullish();

/** Cursors are made by us and short; anything else is refused, not ignored. */
const cursor = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,17})$/, 'is not a cursor that this list gave out')
  .nullish();

/** For the builder: how first, after, last and before are described and checked wherever they stand. */
export const pageArgOptions = {
  firstArgOptions: {
    description: `The first so many after \`after\`, 1 to ${maxPageSize}; ${defaultPageSize} when neither first nor last is given.`,
    validate: { schema: size as never },
  },
  afterArgOptions: {
    description: 'The cursor behind which to begin; the start when absent.',
    validate: { schema: cursor as never },
  },
  lastArgOptions: {
    description: `The last so many before \`before\`, 1 to ${maxPageSize}; not together with first.`,
    validate: { schema: size as never },
  },
  beforeArgOptions: {
    description: 'The cursor before which to end; the end when absent.',
    validate: { schema: cursor as never },
  },
};

interface PageArgs {
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}

/** A page costs what one entry costs, times its size. A size that will be refused as such does not cost more than the largest. */
export function pageCost({ first, last }: PageArgs) {
  return { field: 1, multiplier: Math.min(first ?? last ?? defaultPageSize, maxPageSize) };
}

/** A page of a list as a connection: `read` is asked for one entry more than the page holds, which tells whether there is more. */
export async function readPage<Entry extends object>(
  args: PageArgs,
  toCursor: (entry: Entry) => string,
  read: (range: ResolveCursorConnectionArgs) => Promise<Entry[]>,
) {
  if (typeof args.first === 'number' && typeof args.last === 'number') {
    throw presentIssues([{ path: 'last', message: 'cannot be given together with first' }]);
  }
  const { edges, pageInfo } = await resolveCursorConnection(
    { args, defaultSize: defaultPageSize, maxSize: maxPageSize, toCursor },
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
