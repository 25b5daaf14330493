/**
 * Preloaded with `--import`: spares Node a third of what a start of Winnow takes. Whether a file of
 * a package is a module Node looks up in package.json for each file, and parses all its exports for
 * that. Those of drizzle-orm are 180 kB of JSON, and a start imports a hundred of its files.
 */
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, next) {
    const { parentURL = '' } = context;
    const isInside = specifier.startsWith('.') && parentURL.includes('/node_modules/drizzle-orm/');
    if (!isInside || !specifier.endsWith('.js')) return next(specifier, context);
    return { url: new URL(specifier, parentURL).href, format: 'module', shortCircuit: true };
  },
});
