import { defineConfig } from 'vitest/config';
import { unitTestFiles } from './test/support/files-by-need.ts';
import base from './vitest.config.ts';

/** `npm run test:unit`: the tests that need no Postgres, and none is started. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: unitTestFiles(import.meta.dirname),
    globalSetup: [],
    // They compute more than they wait, and each further worker imports the sources once more.
    maxWorkers: 3,
  },
});
