import { defineConfig } from 'vitest/config';
import { filesByPrograms } from './test/support/files-by-need.ts';
import base from './vitest.config.ts';

/** `npm test`: the tests that start no program of their own. */
export default defineConfig({
  ...base,
  test: { ...base.test, include: filesByPrograms(import.meta.dirname).without },
});
