/** The files of the bundled app: in memory, each also compressed, and in a folder. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const brotli = promisify(brotliCompress);
const deflate = promisify(gzip);

export interface Asset {
  /** With a hash of the contents in it. */
  name: string;
  type: string;
  plain: Buffer;
  /** Absent for what is compressed by itself. */
  br?: Buffer;
  gzip?: Buffer;
}

/** The files that index.html names. */
export interface Entry {
  script: string;
  style: string;
  /** Chooses the theme before anything is drawn. */
  theme: string;
  /** The font of all text, which is fetched at once. */
  font: string;
}

export interface BundledApp {
  entry: Entry;
  assets: ReadonlyMap<string, Asset>;
}

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.woff2': 'font/woff2',
};

/** File of a folder of assets that says what index.html names; written last. */
const entryFile = 'entry.json';

export async function packAsset(
  name: string,
  plain: Buffer,
  effort: 'least' | 'most',
): Promise<Asset> {
  const type = typeOf(name);
  if (type.startsWith('font/')) return { name, type, plain };
  const most = effort === 'most';
  const quality = { [constants.BROTLI_PARAM_QUALITY]: most ? 11 : 5 };
  const [br, zipped] = await Promise.all([
    brotli(plain, { params: quality }),
    deflate(plain, { level: most ? 9 : 6 }),
  ]);
  return { name, type, plain, br, gzip: zipped };
}

/** Writes all of it or nothing: a process that ends in between leaves no folder of that name. */
export async function writeAssets(folder: string, { entry, assets }: BundledApp): Promise<void> {
  const made = `${folder}.${randomUUID()}`;
  await mkdir(made, { recursive: true });
  for (const { name, plain, br, gzip: zipped } of assets.values()) {
    await writeFile(join(made, name), plain);
    if (br) await writeFile(join(made, `${name}.br`), br);
    if (zipped) await writeFile(join(made, `${name}.gz`), zipped);
  }
  await writeFile(join(made, entryFile), JSON.stringify(entry));
  try {
    await rename(made, folder);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    // Another process has written the same.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** Null where the folder is not there. */
export async function readAssets(folder: string): Promise<BundledApp | null> {
  let entry: Entry;
  try {
    entry = JSON.parse(await readFile(join(folder, entryFile), 'utf8')) as Entry;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const present = new Set(await readdir(folder));
  const assets = new Map<string, Asset>();
  for (const name of present) {
    if (!(extname(name) in types)) continue;
    const asset: Asset = { name, type: typeOf(name), plain: await readFile(join(folder, name)) };
    if (present.has(`${name}.br`)) asset.br = await readFile(join(folder, `${name}.br`));
    if (present.has(`${name}.gz`)) asset.gzip = await readFile(join(folder, `${name}.gz`));
    assets.set(name, asset);
  }
  return { entry, assets };
}

function typeOf(name: string): string {
  const type = types[extname(name)];
  if (!type) throw new Error(`The console has no file like ${name}`);
  return type;
}
