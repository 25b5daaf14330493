/**
 * Where the app comes from: from the folder that `npm run build` wrote, or from the sources, which
 * are bundled once and kept in the data folder until they change.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Log } from '../../../core/log.ts';
import { type BundledApp, readAssets, writeAssets } from './assets.ts';
import { bundleApp } from './bundle.ts';

/** Beside this file's folder, in src as in dist. */
const appFolder = new URL('../../../console/', import.meta.url);
/** Sources of the bundle outside of the console. */
const others = ['../../../../package-lock.json', '../../../../schema.graphql'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);
const isSource = import.meta.url.endsWith('.ts');

/** The page of a server that was built without the console. */
export const notBuilt = 'The console was not built: run npm run build';

/** The app, bundled at the first call where it was not built. Null where there is no built one. */
export async function loadApp(dataDirectory: string, log: Log): Promise<BundledApp | null> {
  if (!isSource) return readAssets(fileURLToPath(appFolder));
  const folder = join(dataDirectory, `console-${await hashOfSources()}`);
  const kept = await readAssets(folder).catch(() => null);
  if (kept) return kept;
  const made = await bundleApp({ source: appFolder, effort: 'least' });
  try {
    await writeAssets(folder, made);
    await removeOthers(dataDirectory, basename(folder));
  } catch (error) {
    log.debug({ err: error }, 'the bundled console could not be kept in the data folder');
  }
  return made;
}

async function hashOfSources(): Promise<string> {
  const hash = createHash('sha256');
  const names = await readdir(appFolder, { recursive: true, withFileTypes: true });
  const files = names.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  for (const file of [...files.sort(), ...others]) {
    hash
      .update(file)
      .update('\0')
      .update(await readFile(file));
  }
  return hash.digest('hex').slice(0, 16);
}

async function removeOthers(dataDirectory: string, kept: string): Promise<void> {
  for (const name of await readdir(dataDirectory)) {
    if (/^console-[0-9a-f]{16}$/.test(name) && name !== kept) {
      await rm(join(dataDirectory, name), { recursive: true, force: true });
    }
  }
}
