import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

/**
 * `npm run test:chaos`: storms over real processes. CHAOS_SECONDS, CHAOS_ITEMS and CHAOS_SEED
 * change them.
 */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['test/chaos/**/*.test.ts'],
    exclude: [],
    testTimeout: 600_000,
    hookTimeout: 60_000,
    fileParallelism: false,
    disableConsoleIntercept: true,
  },
});
