/** The documents that have commands, by their paths from the root. */
import { readdirSync, readFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);

/** Every Markdown file that users and contributors read. */
export const pages: readonly string[] = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(new URL('docs/', root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].sort();

/** Those with fenced blocks. */
export const documents: readonly string[] = pages.filter((name) =>
  /^```(?!mermaid)\w+$/m.test(readPage(name)),
);

export function readPage(name: string): string {
  return readFileSync(new URL(name, root), 'utf8');
}
