/** Names of a stored output's members as outputs write them: in snake case, where they are ours. */
import type { PreparedOperation } from '../../operations/operation.ts';

/**
 * The function that renames the members of an output's JSON text. Only outputs without objects
 * inside have such names, and so a name with its quotes and its colon stands nowhere else in the
 * text: inside of a text its quotes are escaped.
 */
export function createRenamer({ outputNames }: PreparedOperation): (json: string) => string {
  const names = Object.entries(outputNames ?? {});
  return names.reduce<(json: string) => string>(
    (before, [name, written]) => {
      const [found, put] = [`"${name}":`, `"${written}":`];
      return (json) => {
        const text = before(json);
        // Ours come last in what is stored.
        const at = text.lastIndexOf(found);
        return at < 0 ? text : text.slice(0, at) + put + text.slice(at + found.length);
      };
    },
    (json) => json,
  );
}
