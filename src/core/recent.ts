/** A map that forgets the entries unused longest. */
export interface Recent<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
}

/** `max`: how much all entries may weigh together; by default each weighs 1. */
export function createRecent<Value>(
  max: number,
  {
    weightOf = () => 1,
    onForgotten = () => undefined,
  }: { weightOf?: (key: string) => number; onForgotten?: (key: string) => unknown } = {},
): Recent<Value> {
  // From the entry unused longest to the one used last.
  const kept = new Map<string, Value>();
  let weight = 0;
  return {
    get(key) {
      const value = kept.get(key);
      if (value !== undefined) {
        kept.delete(key);
        kept.set(key, value);
      }
      return value;
    },
    set(key, value) {
      if (!kept.delete(key)) weight += weightOf(key);
      kept.set(key, value);
      for (const oldest of kept.keys()) {
        if (weight <= max) return;
        kept.delete(oldest);
        weight -= weightOf(oldest);
        onForgotten(oldest);
      }
    },
  };
}
