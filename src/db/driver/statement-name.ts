/** Names of statements in the metrics: by the function that makes them. */

/** The text of a query, in the pieces between its values. */
export interface NamedQuery {
  strings: readonly string[];
}

/** A piece of code has its own list of strings, which is the same at each call. */
const known = new WeakMap<readonly string[], string>();

/**
 * The name of the function in src/db that makes the query, which is on the stack. Of a query of
 * Drizzle's builder, which runs later: its verb and its table.
 */
export function nameOf({ strings }: NamedQuery): string {
  // The builder makes its own each time, and runs them when the function has left the stack.
  if (!('raw' in strings)) return verbAndTable(strings[0] ?? '');
  const found = known.get(strings);
  if (found !== undefined) return found;
  const name = functionOnStack() ?? verbAndTable(strings[0] ?? '');
  known.set(strings, name);
  return name;
}

function functionOnStack(): string | null {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 20;
  const { stack = '' } = new Error('a look at the stack');
  Error.stackTraceLimit = stackTraceLimit;
  let name: string | null = null;
  for (const line of stack.split('\n')) {
    // The outermost function of src/db: those that it calls are parts of it.
    const [, found] =
      /^ *at (?:async )?(\w+) \(.*[\\/]db[\\/](?!driver[\\/])[\w-]+\.[jt]s/.exec(line) ?? [];
    if (found) name = found;
    else if (name !== null) break;
  }
  return name;
}

function verbAndTable(text: string): string {
  const [, verb] = /^\s*(select|insert|update|delete)\b/i.exec(text) ?? [];
  const [, table] = /\b(?:from|into|update)\s+"?(\w+)/i.exec(text) ?? [];
  return verb && table ? `${verb.toLowerCase()} ${table}` : 'other';
}
