/** Errors that quote what was sent must not become larger than it. */
import { GraphQLError } from 'graphql';

/** Characters of a name that a message quotes. */
export const maxQuoted = 100;
export const maxMessage = 2_000;
/** Characters of all errors of an answer, as JSON. */
export const maxCharacters = 20_000;

/** The first errors that fit, long names cut, and a last one that counts the others. */
export function limitErrors(errors: readonly GraphQLError[]): GraphQLError[] {
  const shown: GraphQLError[] = [];
  let left = maxCharacters;
  for (const error of errors) {
    const short = shorten(error);
    left -= JSON.stringify(short).length;
    if (left < 0 && shown.length > 0) {
      const more = errors.length - shown.length;
      const message = `${more} more ${more === 1 ? 'error is' : 'errors are'} left out`;
      const { code, requestId } = shown[0]?.extensions ?? {};
      const extensions = { ...(code ? { code } : {}), ...(requestId ? { requestId } : {}) };
      return [...shown, new GraphQLError(message, { extensions })];
    }
    shown.push(short);
  }
  return shown;
}

function shorten(error: GraphQLError): GraphQLError {
  const { message, nodes, source, positions, path, originalError, extensions } = error;
  const short = message.replace(/"([^"]*)"/g, (quoted, name: string) =>
    name.length > maxQuoted ? `"${cut(name, maxQuoted)}…"` : quoted,
  );
  if (short === message && message.length <= maxMessage) return error;
  return new GraphQLError(short.length > maxMessage ? `${cut(short, maxMessage)}…` : short, {
    nodes,
    source,
    positions,
    path,
    originalError,
    extensions,
  });
}

/** Not in the middle of a character. */
function cut(text: string, length: number): string {
  return text.slice(0, length).toWellFormed();
}
