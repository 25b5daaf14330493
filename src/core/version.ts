import { readFileSync } from 'node:fs';

/** Winnow's version, as package.json has it; the same file seen from src and from dist. */
export const version: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  }
).version;

/**
 * The installed version of @pydantic/genai-prices, whose table is the built-in price list, and the
 * day on which it was published.
 */
export const priceList = { version: '0.1.8', publishedAt: new Date('2026-09-23') } as const;
