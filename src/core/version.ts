import { readFileSync } from 'node:fs';

/** Winnow's version, as package.json has it; the same file seen from src and from dist. */
export const version: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  }
).version;
