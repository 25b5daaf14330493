/** Fields of the entries of a list, read by one statement for the whole page. */
import type { Sql } from '../../db/driver/client.ts';
import type { Context } from './context.ts';

/**
 * Makes a reader of one value for a key. All keys that the resolvers of one request ask for in one
 * turn are read together. Undefined for a key without a value.
 */
export function createRounds<Value>(
  read: (keys: readonly bigint[], context: Context) => Promise<ReadonlyMap<bigint, Value>>,
): (key: bigint, context: Context) => Promise<Value | undefined> {
  const rounds = new WeakMap<
    Context,
    { keys: Set<bigint>; found: Promise<ReadonlyMap<bigint, Value>> }
  >();
  return async (key, context) => {
    let round = rounds.get(context);
    if (!round) {
      const keys = new Set<bigint>();
      const found = Promise.resolve().then(() => {
        rounds.delete(context);
        return read([...keys], context);
      });
      round = { keys, found };
      rounds.set(context, round);
    }
    round.keys.add(key);
    return (await round.found).get(key);
  };
}

function byBatch<Entry extends { batchKey: bigint }>(
  entries: readonly Entry[],
): Map<bigint, Entry[]> {
  const found = new Map<bigint, Entry[]>();
  for (const entry of entries) {
    const others = found.get(entry.batchKey);
    if (others) others.push(entry);
    else found.set(entry.batchKey, [entry]);
  }
  return found;
}

/** Makes a reader of the entries of one batch, in the order in which `list` has those of all. */
export function createListRounds<Entry extends { batchKey: bigint }>(
  list: (sql: Sql, batchKeys: readonly bigint[]) => Promise<readonly Entry[]>,
): (batchKey: bigint, context: Context) => Promise<Entry[]> {
  const read = createRounds(async (keys, { db }) => byBatch(await list(db.sql, keys)));
  return async (batchKey, context) => (await read(batchKey, context)) ?? [];
}
