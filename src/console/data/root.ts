/** Where the server is reached: the page says which path its addresses begin with. */
const meta = document.querySelector<HTMLMetaElement>('meta[name="winnow-root"]');

/** Without a slash at the end; empty where the server has a host of its own. */
export const root = meta?.content ?? '';

/** An address of the server, from its path: `/graphql`, `/files`. */
export function addressOf(path: string): string {
  return `${location.origin}${root}${path}`;
}
