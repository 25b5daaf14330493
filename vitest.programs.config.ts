import { defineConfig } from 'vitest/config';
import { filesByPrograms } from './test/support/files-by-need.ts';
import base from './vitest.config.ts';

/** `npm run test:programs`: servers, the command, the demo and documents, as programs. */
export default defineConfig({
  ...base,
  test: { ...base.test, include: filesByPrograms(import.meta.dirname).with },
});
