#!/usr/bin/env node
/** The command `winnow`: from its sources in a checkout, compiled in a build. */
import { existsSync } from 'node:fs';
import module from 'node:module';

// The next start finds what this one has compiled. Node 20 cannot keep that.
module.enableCompileCache?.();
const source = new URL('main.ts', import.meta.url);
if (existsSync(source)) {
  // With the cache, a Node that reads TypeScript by itself starts in two thirds of the time.
  if (!process.features.typescript) (await import('tsx/esm/api')).register();
  await import(source.href);
} else {
  await import(new URL('main.js', import.meta.url).href);
}
