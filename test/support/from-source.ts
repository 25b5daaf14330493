/** How tests start a program from its sources, as fast as this Node can. */
import { fileURLToPath } from 'node:url';

/** Arguments of Node by which imports take less time; empty where it cannot preload TypeScript. */
export const quickImports: readonly string[] = process.features.typescript
  ? ['--import', import.meta.resolve('./quick-imports.ts')]
  : [];

/**
 * Arguments of Node before a file of TypeScript. A Node that reads TypeScript by itself takes two
 * thirds of the time; that tsx serves as well is what tests of the command and .ci/run show.
 */
export const nodeFlags: readonly string[] = process.features.typescript
  ? quickImports
  : ['--import', import.meta.resolve('tsx')];

/** Variables by which a program finds the code that an earlier start has compiled. */
export const nodeEnv = {
  NODE_COMPILE_CACHE: fileURLToPath(
    new URL('../../node_modules/.cache/winnow-tests', import.meta.url),
  ),
};
