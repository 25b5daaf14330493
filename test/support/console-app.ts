import { fileURLToPath } from 'node:url';
import { type App, startApp } from './app.ts';

/** Kept from run to run, so that the console is bundled once for all tests. */
export const consoleDataDirectory = fileURLToPath(
  new URL('../../node_modules/.cache/winnow-tests/console', import.meta.url),
);

/** A whole Winnow that serves the console too. */
export async function startConsole(
  env: Record<string, string> = {},
  shared?: Parameters<typeof startApp>[1],
): Promise<App> {
  const app = await startApp({ CONSOLE: 'on', DATA_DIR: consoleDataDirectory, ...env }, shared);
  // Answered when the bundle is there: no page of a test has to wait for it.
  const page = async () => await (await fetch(`${app.url}/console`)).text();
  while (!(await page()).includes('<div id="app">'));
  return app;
}
