/** Makes the browser app of src/console/: one bundle, with names made of the contents. */
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';
import { type BundledApp, packAsset } from './assets.ts';
import { readInputs } from './schema-inputs.ts';

/** Browsers of 2023 and later, in which the styles' nesting and the scripts' modules work. */
const target = ['chrome115', 'firefox117', 'safari17'];

/** Throws the bundler's message where a source cannot be bundled. */
export async function bundleApp({
  source,
  effort,
}: {
  /** The folder of the app's sources. */
  source: URL;
  /** `least` where somebody waits for the page, `most` for a package. */
  effort: 'least' | 'most';
}): Promise<BundledApp> {
  // Loaded where it is needed: a server that was built is without it.
  const { build } = await import('esbuild');
  const made = await build({
    absWorkingDir: fileURLToPath(source),
    entryPoints: { main: 'main.tsx', theme: 'theme.ts' },
    outdir: 'assets',
    bundle: true,
    // What one page needs alone is fetched with that page.
    splitting: true,
    write: false,
    minify: true,
    format: 'esm',
    target,
    jsx: 'automatic',
    loader: { '.woff2': 'file', '.csv': 'file' },
    plugins: [schemaInputs, partsAlone],
    entryNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    define: { 'process.env.NODE_ENV': '"production"' },
    legalComments: 'none',
    logLevel: 'silent',
    metafile: true,
  });
  const assets = await Promise.all(
    made.outputFiles.map(({ path, contents }) =>
      packAsset(path.slice(path.lastIndexOf('/') + 1), Buffer.from(contents), effort),
    ),
  );
  const named = (start: string, end: string): string => {
    const found = assets.find(({ name }) => name.startsWith(start) && name.endsWith(end));
    if (!found) throw new Error(`The bundle has no ${start}*${end}`);
    return found.name;
  };
  return {
    entry: {
      script: named('main-', '.js'),
      style: named('main-', '.css'),
      theme: named('theme-', '.js'),
      font: named('inter-', '.woff2'),
    },
    assets: new Map(assets.map((asset) => [asset.name, asset])),
  };
}

/** The module `winnow:schema`: what forms say of their fields stands in schema.graphql. */
const schemaInputs: Plugin = {
  name: 'schema-inputs',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^winnow:schema$/ }, ({ path }) => ({ path, namespace: 'schema' }));
    onLoad({ filter: /.*/, namespace: 'schema' }, async () => ({
      contents: `export const inputs = ${JSON.stringify(await readInputs())};`,
    }));
  },
};

/**
 * Base UI's modules name their parts in one object, of which the bundler keeps all. Behind it each
 * part has a name of its own, so that those that no page uses are left out.
 */
const partsAlone: Plugin = {
  name: 'parts-alone',
  setup({ onResolve }) {
    onResolve({ filter: /^@base-ui\/react\/(dialog|menu|tabs)$/ }, ({ path }) => ({
      path: fileURLToPath(new URL('index.parts.mjs', import.meta.resolve(path))),
    }));
  },
};
