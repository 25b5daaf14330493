/** Lists: every find of the items' kind, no fewer and no more than the schema allows. */
import type { Item } from './item.ts';
import { isObject, type JsonSchema } from './json-schema.ts';
import type { Filled, Place, SchemaNode } from './node.ts';

const MAX_ITEMS = 20;

export function compileArray(schema: JsonSchema, place: Place): SchemaNode {
  const own = isObject(schema.items) ? schema.items : {};
  const node = place.compile(own, place);
  const least = Math.max(0, schema.minItems ?? 0);
  const most = Math.min(schema.maxItems ?? MAX_ITEMS, Math.max(MAX_ITEMS, least));
  const choices = Array.isArray(own.enum) ? own.enum : null;

  const fill = (item: Item, near?: number): Filled => {
    const items = node.all(item).slice(0, most);
    // A list of labels that matches nothing still names the likeliest, as a model would.
    if (items.length === 0 && choices && most > 0) items.push(node.fill(item, near));
    const found = items.some((one) => one.found);
    pad(items, item);
    return {
      value: items.map(({ value }) => value),
      score: items.length === 0 ? 0 : items.reduce((sum, one) => sum + one.score, 0) / items.length,
      found,
      decisions: items.flatMap(({ decisions }) => decisions),
    };
  };

  function pad(items: Filled[], item: Item): void {
    for (const value of choices ?? []) {
      if (items.length >= least) return;
      if (!items.some((one) => one.value === value))
        items.push({ value, score: 0, found: false, decisions: [] });
    }
    while (items.length < least && items.length < 1_000)
      items.push(items.at(-1) ?? node.fill(item));
  }

  return { fill, all: (item) => [fill(item)] };
}
