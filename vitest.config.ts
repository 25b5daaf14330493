import { defineConfig } from 'vitest/config';
import { quickImports } from './test/support/from-source.ts';
import { LongestFirst } from './test/support/longest-first.ts';

export default defineConfig({
  resolve: {
    // The copy that Node gives everybody else. Vite would take the one for bundlers, whose
    // classes are other classes.
    alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }],
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/chaos/**', 'test/bench/**'],
    globalSetup: ['test/support/global-setup.ts'],
    // Files share what they import, which takes a quarter of the time. Nothing in src keeps a state
    // of its own, and no test replaces a module.
    isolate: false,
    execArgv: [...quickImports],
    // Tests wait for processes and timers more than they compute. The default is one worker fewer
    // than there are cores.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary', 'html'] },
    // For what hangs. Longer than what a test waits for has, so that this is told in its own words.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
