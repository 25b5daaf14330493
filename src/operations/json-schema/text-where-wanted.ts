/** Numbers that a model wrote where a schema wants text alone. */
import { isObject, type JsonObject, ownValue } from '../answer.ts';
import type { Place } from './place.ts';

/**
 * The value with the digits of such numbers as texts: those of `exact` where JavaScript would write others. The same value where there are none.
 */
export function textWhereWanted(
  value: JsonObject,
  exact: JsonObject | null,
  root: Place,
): JsonObject {
  return mend(value, exact, root) as JsonObject;
}

function mend(value: unknown, exact: unknown, place: Place): unknown {
  if (typeof value === 'number') {
    if (!wantsTextAlone(place)) return value;
    return typeof exact === 'string' ? exact : String(value);
  }
  if (Array.isArray(value)) {
    const written = Array.isArray(exact) ? exact : [];
    const mended = value.map((child, at) => mend(child, written[at], place.entry(at)));
    return mended.some((child, at) => child !== value[at]) ? mended : value;
  }
  if (!isObject(value)) return value;
  const written = isObject(exact) ? exact : {};
  const mended = Object.entries(value).map(
    ([name, child]) => [name, mend(child, ownValue(written, name), place.member(name))] as const,
  );
  return mended.some(([name, child]) => child !== value[name]) ? Object.fromEntries(mended) : value;
}

function wantsTextAlone({ types }: Place): boolean {
  return types.has('string') && !types.has('number') && !types.has('integer');
}
