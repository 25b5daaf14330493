import { defineConfig } from 'vitest/config';
import { filesByPrograms } from './test/support/files-by-need.ts';
import base from './vitest.config.ts';

/** `npm run test:programs`: servers, the command, the demo and what documents show, as processes. */
export default defineConfig({
  ...base,
  test: { ...base.test, include: filesByPrograms(import.meta.dirname).with },
});
