/** The script of `npm run build` that writes the console into a folder: dist/console. */
import { rm } from 'node:fs/promises';
import { writeAssets } from './assets.ts';
import { bundleApp } from './bundle.ts';

const [folder] = process.argv.slice(2);
if (!folder) throw new Error('The folder to write must be given');
const source = new URL('../../../console/', import.meta.url);
await rm(folder, { recursive: true, force: true });
await writeAssets(folder, await bundleApp({ source, effort: 'most' }));
