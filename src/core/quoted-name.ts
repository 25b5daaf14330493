/** More of a long name says no more. */
const maxLength = 100;

/** A name of somebody else's, of a file or of a form, as warnings and refusals quote it. */
export function quotedName(name: string): string {
  return JSON.stringify(
    name.length > maxLength ? `${name.slice(0, maxLength).toWellFormed()}…` : name.toWellFormed(),
  );
}
