/** A table as it is uploaded, and what its items then are. */
import { readFileSync } from 'node:fs';
import type { App } from '../../support/app.ts';
import { type Data, submitMutation } from '../graphql/support.ts';

/** A file of test/cases. */
export function caseFile(name: string): Buffer {
  return readFileSync(new URL(`../../cases/${name}`, import.meta.url));
}

/** The answer to POST /files with the file as the body. */
export async function uploadBody(
  app: App,
  name: string,
  body: string | Uint8Array,
  options: Record<string, string> = {},
): Promise<{ status: number; body: Data }> {
  const query = new URLSearchParams({ name, ...options });
  const response = await fetch(`${app.url}/files?${query}`, {
    method: 'POST',
    body: body as BodyInit,
  });
  return { status: response.status, body: (await response.json()) as Data };
}

/** A file that was taken, and its items: as a batch over it has them. */
export async function uploadTable(
  app: App,
  name: string,
  body: string | Uint8Array,
  options: Record<string, string> = {},
): Promise<Data & { items: Data[]; contents: string[] }> {
  const { status, body: file } = await uploadBody(app, name, body, options);
  if (status !== 201) throw new Error(`${name} was refused: ${JSON.stringify(file)}`);
  const submitted = await app.graphql(submitMutation, {
    input: {
      operation: { label: { categories: ['good', 'bad'] } },
      source: { fileId: file.id },
      autoStart: false,
    },
  });
  const id = submitted.data?.submitBatch.batch.id as string;
  const { data, errors } = await app.graphql(
    `query ($id: ID!) { batch(id: $id) {
      items(first: 100) { edges { node { customId content metadata } } } } }`,
    { id },
  );
  if (!data) throw new Error(`no items of ${name}: ${JSON.stringify(errors)}`);
  const items = data.batch.items.edges.map(({ node }: Data) => node) as Data[];
  return { ...file, items, contents: items.map(({ content }) => content as string) };
}
