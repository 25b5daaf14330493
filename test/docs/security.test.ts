/** SECURITY.md promises nothing without a test. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readPage } from './documents.ts';

const [, table = ''] = /## What is promised(.*?)\n## /s.exec(readPage('SECURITY.md')) ?? [];
const rows = [...table.matchAll(/^\| ([A-Z].*?) \| (.*) \|$/gm)].map(
  ([, promise = '', tests = '']) => ({ promise, tests }),
);

describe('each promise in SECURITY.md', () => {
  it('is found', () => expect(rows.length).toBeGreaterThan(20));

  it.each(rows)('has a test: $promise', ({ tests }) => {
    const files = [...tests.matchAll(/\]\((test\/[^)]+)\)/g)].map(([, path = '']) => path);

    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const place = new URL(`../../${file}`, import.meta.url);
      expect(existsSync(place), file).toBe(true);
      expect(readFileSync(place, 'utf8'), file).not.toMatch(/\.(skip|skipIf|todo|only|fails)\b/);
    }
  });
});
