/**
 * JSON as people type it: names of members may stand without quotes, as GraphQL and the hints of
 * the form have them. Throws SyntaxError for all else that is not JSON.
 */
export function parseTypedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    try {
      return JSON.parse(quoteNames(text));
    } catch {
      // It names the place in what was typed.
      throw error;
    }
  }
}

/** Strings stay as they are: what looks like a name in one is none. */
function quoteNames(text: string): string {
  return text.replace(
    /"(?:[^"\\]|\\.)*"|([A-Za-z_]\w*)(?=\s*:)/g,
    (all, name: string | undefined) => (name === undefined ? all : `"${name}"`),
  );
}
