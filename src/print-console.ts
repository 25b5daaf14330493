/**
 * Writes the types of schema.graphql for the console's documents to src/console/graphql-env.d.ts.
 * With --check it fails where that file is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { minifyIntrospection, outputIntrospectionFile } from '@gql.tada/internal';
import { buildSchema, introspectionFromSchema } from 'graphql';

const schemaFile = new URL('../schema.graphql', import.meta.url);
const typesFile = new URL('./console/graphql-env.d.ts', import.meta.url);

const introspection = introspectionFromSchema(buildSchema(readFileSync(schemaFile, 'utf8')), {
  descriptions: false,
});
const printed = outputIntrospectionFile(
  minifyIntrospection(introspection as unknown as Parameters<typeof minifyIntrospection>[0]),
  { fileType: '.d.ts', shouldPreprocess: true },
);

if (process.argv.includes('--check')) {
  if (readFileSync(typesFile, 'utf8') !== printed) {
    process.stderr.write('src/console/graphql-env.d.ts is out of date: npm run schema\n');
    process.exitCode = 1;
  }
} else writeFileSync(typesFile, printed);
