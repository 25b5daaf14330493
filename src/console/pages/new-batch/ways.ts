/** The batch of the form as GraphQL, as a command, as curl and as TypeScript, to paste. */
import type { Submission } from './form.ts';

export interface Ways {
  graphql: { query: string; variables: string };
  command: string;
  curl: string;
  typescript: string;
}

const mutation = `mutation ($input: SubmitBatchInput!) {
  submitBatch(input: $input) {
    batch { id status counts { total } }
  }
}`;

export function waysOf(
  input: Submission,
  { url, fileName }: { url: string; fileName: string },
): Ways {
  const variables = JSON.stringify({ input }, null, 2);
  const body = JSON.stringify({ query: mutation.replaceAll(/\s+/g, ' '), variables: { input } });
  return {
    graphql: { query: mutation, variables },
    command: commandOf(input, { url, fileName }),
    curl: `curl -sS ${url}/graphql \\\n  -H 'content-type: application/json' \\\n  -d ${quoted(body)}`,
    typescript: typescriptOf(input, url),
  };
}

function commandOf(
  input: Submission,
  { url, fileName }: { url: string; fileName: string },
): string {
  const [[operation, options] = ['run', {}]] = Object.entries(input.operation);
  const {
    categories,
    instructions,
    model,
    multiLabel,
    systemPrompt,
    userPromptTemplate,
    ...others
  } = options as Record<string, unknown>;
  const parts = [`winnow ${operation} ${quoted(fileName)}`];
  const add = (flag: string, value: unknown) => {
    if (value !== undefined && value !== '') parts.push(`${flag} ${quoted(String(value))}`);
  };
  add('--column', input.contentField);
  add('--id', input.customIdField);
  // A comma in a category would part it.
  if (Array.isArray(categories)) {
    if (categories.some((name) => String(name).includes(','))) others.categories = categories;
    else add('--categories', categories.join(','));
  }
  if (multiLabel === true) parts.push('--multi');
  add('--instructions', instructions);
  add('--system', systemPrompt);
  add('--template', userPromptTemplate);
  add('--model', model);
  if (Object.keys(others).length > 0) add('--options', JSON.stringify(others));
  if (input.execution) parts.push('--batch-api');
  add('--preview', input.preview);
  add('--max-cost', input.maxCostUsd);
  if (input.deduplicate === false) parts.push('--deduplicate off');
  add('--webhook', input.webhookUrl);
  add('--expires', input.expiresInSeconds);
  add('--name', input.name);
  add('--url', url);
  return parts.join(' \\\n  ');
}

function typescriptOf(input: Submission, url: string): string {
  const { operation, source, ...others } = input;
  const given = 'fileId' in source ? { fileId: source.fileId } : source.texts;
  const shown = JSON.stringify({ ...operation, source: given, ...others }, null, 2);
  return `import { Winnow } from 'winnow-client';

const winnow = new Winnow({ url: '${url}' });
const batch = await winnow.batches.submit(${shown});
await batch.done();`;
}

/** For a shell. */
function quoted(text: string): string {
  return /^[\w./:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
