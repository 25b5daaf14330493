/** One page of a list, as OpenAI cuts them. */
import { ApiError } from '../api-error.ts';

export interface PageLimits {
  usual: number;
  most: number;
}

/** `limit` and `after` from the query; throws the 400 where they are none. */
export function cursorPage<T extends { id: string }>(
  items: readonly T[],
  query: URLSearchParams,
  limits: PageLimits,
) {
  const limit = readLimit(query.get('limit'), limits);
  const after = query.get('after');
  const from = after === null ? 0 : items.findIndex(({ id }) => id === after) + 1;
  if (after !== null && from === 0)
    throw new ApiError(`Invalid 'after': no item with id '${after}'.`, {
      param: 'after',
      code: 'invalid_value',
    });
  const data = items.slice(from, from + limit);
  return {
    object: 'list' as const,
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: from + limit < items.length,
  };
}

export function readLimit(stated: string | null, { usual, most }: PageLimits): number {
  if (stated === null) return usual;
  const limit = Number(stated);
  if (Number.isInteger(limit) && limit >= 1 && limit <= most) return limit;
  throw new ApiError(`Invalid 'limit': expected an integer from 1 to ${most}.`, {
    param: 'limit',
    code: 'invalid_value',
  });
}
