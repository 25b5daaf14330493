/**
 * One page of a list, as Anthropic cuts them: after one item or before one, of a list that begins
 * with the newest.
 */
import { readLimit } from '../batch/page.ts';
import { invalid } from './invalid.ts';

const pageSizes = { usual: 20, most: 1_000 };

export function messagePage<T extends { id: string }>(items: readonly T[], query: URLSearchParams) {
  const limit = readLimit(query.get('limit'), pageSizes);
  const after = query.get('after_id');
  const before = query.get('before_id');
  if (after !== null && before !== null)
    throw invalid('after_id', 'cannot be used together with before_id');
  const place = (id: string, name: string): number => {
    const at = items.findIndex((item) => item.id === id);
    if (at < 0) throw invalid(name, `no item with id '${id}'`);
    return at;
  };
  let from = after === null ? 0 : place(after, 'after_id') + 1;
  let to = Math.min(items.length, from + limit);
  let more = to < items.length;
  if (before !== null) {
    to = place(before, 'before_id');
    from = Math.max(0, to - limit);
    more = from > 0;
  }
  const data = items.slice(from, to);
  return {
    data,
    has_more: more,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  };
}
