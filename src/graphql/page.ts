/** The pages of every list: Relay's four arguments, with sizes that are refused rather than cut. */
import { z } from 'zod';

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
    description: `The last so many before \`before\`, 1 to ${maxPageSize}.`,
    validate: { schema: size as never },
  },
  beforeArgOptions: {
    description: 'The cursor before which to end; the end when absent.',
    validate: { schema: cursor as never },
  },
};

/** A page costs what one entry costs, times its size. */
export function pageCost(args: { first?: number | null; last?: number | null }) {
  return { field: 1, multiplier: args.first ?? args.last ?? defaultPageSize };
}
