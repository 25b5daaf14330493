/** Each step of the form as GraphQL, as a command, as curl and as TypeScript, to paste. */
import type { Submission } from './submission.ts';

export interface Way {
  /** `variables` as JSON. */
  graphql: { query: string; variables: string };
  command: string;
  curl: string;
  typescript: string;
}

/** Names of steps, in their order. */
export const stepNames = ['Upload', 'Try', 'Quote', 'Run'] as const;

export type StepName = (typeof stepNames)[number];

export interface Place {
  /** Address of the server. */
  url: string;
  /** Name of the file that the command reads. */
  fileName: string;
  /** True where the server wants a key. */
  withKey: boolean;
}

const submitDocument = `mutation ($input: SubmitBatchInput!) {
  submitBatch(input: $input) {
    batch { id status counts { total } }
  }
}`;

const quoteDocument = `query ($input: QuoteInput!) {
  quote(input: $input) {
    items
    models {
      model
      liveUsd { low high }
      providerBatchUsd { low high }
    }
  }
}`;

const uploadDocument = `mutation ($file: Upload!, $contentField: String, $customIdField: String) {
  uploadFile(file: $file, contentField: $contentField, customIdField: $customIdField) {
    file { id name itemCount columns rejectedCount warnings }
  }
}`;

/** Fields of the answers of an operation. Chat has no synchronous mutation. */
const answerFields: Readonly<Record<string, string>> = {
  label: 'label labels confidence',
  extract: 'data',
  summarize: 'summary',
  enrich: 'data',
  run: 'text data',
};
/** Rows that a try asks. */
const triedRows = 5;

/** `texts` are some of the rows to try; empty where they are not known. */
export function waysOf(
  step: StepName,
  input: Submission,
  place: Place & { texts: readonly string[] },
): Way | null {
  switch (step) {
    case 'Upload':
      return 'fileId' in input.source ? uploadWay(input, place) : null;
    case 'Try':
      return tryWay(input, place);
    case 'Quote':
      return quoteWay(input, place);
    case 'Run':
      return runWay(input, place);
  }
}

function uploadWay({ contentField, customIdField }: Submission, place: Place): Way {
  const { url, fileName } = place;
  const chosen = { contentField, customIdField };
  const query = new URLSearchParams({ name: fileName });
  for (const [name, value] of Object.entries(chosen)) {
    if (value !== undefined) query.set(name, value);
  }
  const options = Object.values(chosen).some((value) => value !== undefined)
    ? `, ${asCode(chosen)}`
    : '';
  return {
    graphql: { query: uploadDocument, variables: asJson({ file: null, ...chosen }) },
    command: commandOf(`winnow upload ${quoted(fileName)}`, [
      ['--column', contentField],
      ['--id', customIdField],
      ['--url', url],
    ]),
    curl: curlOf(`${url}/files?${query}`, place, [`--data-binary @${quoted(fileName)}`]),
    typescript: typescriptOf(
      place,
      `const file = await winnow.files.upload(${JSON.stringify(fileName)}${options});`,
    ),
  };
}

function tryWay(
  { operation, contentField, customIdField }: Submission,
  place: Place & { texts: readonly string[] },
): Way | null {
  const [[name, options] = ['run', {}]] = Object.entries(operation);
  const fields = answerFields[name];
  if (!fields) return null;
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Options${name === 'summarize' ? '' : '!'}`;
  const query = `mutation ($items: [ItemInput!]!, $options: ${type}) {
  ${name}(items: $items, options: $options) {
    results { index ${fields} error { code message } }
  }
}`;
  const texts = place.texts.length > 0 ? place.texts.slice(0, triedRows) : ['the text of a row'];
  const variables = { items: texts.map((content) => ({ content })), options };
  return {
    graphql: { query, variables: asJson(variables) },
    command: commandOf(`winnow ${name} ${quoted(place.fileName)}`, [
      ['--column', contentField],
      ['--id', customIdField],
      ...operationFlags(options as Options),
      ['--sample', triedRows],
      ['--url', place.url],
    ]),
    curl: graphqlCurl(place, query, variables),
    typescript: typescriptOf(
      place,
      `const { results } = await winnow.${name}(${asCode(texts)}, ${asCode(
        clientOperation({ operation })[name] ?? {},
      )});`,
    ),
  };
}

function quoteWay(input: Submission, place: Place): Way {
  const { operation, source, contentField, customIdField, deduplicate } = input;
  const [[name, options] = ['run', {}]] = Object.entries(operation);
  const asked = { operation, source, contentField, deduplicate };
  const given = { ...clientOperation(input), source: sourceOf(input), contentField, deduplicate };
  return {
    graphql: { query: quoteDocument, variables: asJson({ input: asked }) },
    command: commandOf(`winnow quote ${name} ${quoted(place.fileName)}`, [
      ['--column', contentField],
      ['--id', customIdField],
      ...operationFlags(options as Options),
      ['--url', place.url],
    ]),
    curl: graphqlCurl(place, quoteDocument, { input: asked }),
    typescript: typescriptOf(place, `const quote = await winnow.quote(${asCode(given)});`),
  };
}

function runWay(input: Submission, place: Place): Way {
  const { operation, source: _, ...others } = input;
  const [[name, options] = ['run', {}]] = Object.entries(operation);
  const given = {
    ...clientOperation(input),
    source: sourceOf(input),
    ...others,
    // The client writes values of enums in lower case.
    ...(input.execution ? { execution: input.execution.toLowerCase() } : {}),
  };
  return {
    graphql: { query: submitDocument, variables: asJson({ input }) },
    command: commandOf(`winnow ${name} ${quoted(place.fileName)}`, [
      ['--column', input.contentField],
      ['--id', input.customIdField],
      ...operationFlags(options as Options),
      ['--batch-api', input.execution ? true : undefined],
      ['--preview', input.preview],
      ['--max-cost', input.maxCostUsd],
      ['--deduplicate', input.deduplicate === false ? 'off' : undefined],
      ['--webhook', input.webhookUrl],
      ['--expires', input.expiresInSeconds],
      ['--name', input.name],
      ['--url', place.url],
    ]),
    curl: graphqlCurl(place, submitDocument, { input }),
    typescript: typescriptOf(
      place,
      `const batch = await winnow.batches.submit(${asCode(given)});\nawait batch.done();`,
    ),
  };
}

type Options = Readonly<Record<string, unknown>>;
/** `true` is a flag without a value; undefined is none. */
type Flag = readonly [flag: string, value: unknown];

/** By the option of GraphQL; what has no flag of its own goes into `--options`. */
const flagNames: Readonly<Record<string, string>> = {
  categories: '--categories',
  instructions: '--instructions',
  systemPrompt: '--system',
  userPromptTemplate: '--template',
  model: '--model',
};

function operationFlags({ multiLabel, ...options }: Options): Flag[] {
  const own: Flag[] = [];
  const rest: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    const flag = flagNames[name];
    const word = Array.isArray(value) ? wordOf(value.map(String)) : plainOf(value);
    if (flag && word !== null) own.push([flag, word]);
    else rest[name] = value;
  }
  return [
    ...own,
    ['--multi', multiLabel === true ? true : undefined],
    ['--options', Object.keys(rest).length > 0 ? JSON.stringify(rest) : undefined],
  ];
}

/** Null where a comma in a name would part it. */
function wordOf(names: readonly string[]): string | null {
  return names.some((name) => name.includes(',')) ? null : plainOf(names.join(','));
}

/** Null where the command would read a file, JSON or a flag in it. */
function plainOf(value: unknown): string | null {
  return typeof value === 'string' && !/^\s*[-@[{]/.test(value) ? value : null;
}

function commandOf(start: string, flags: readonly Flag[]): string {
  const parts = flags.flatMap(([flag, value]) => {
    if (value === undefined || value === '') return [];
    return [value === true ? flag : `${flag} ${quoted(String(value))}`];
  });
  return [start, ...parts].join(' \\\n  ');
}

function graphqlCurl(place: Place, query: string, variables: object): string {
  const body = JSON.stringify({ query: query.replaceAll(/\s+/g, ' '), variables });
  return curlOf(`${place.url}/graphql`, place, [
    `-H 'content-type: application/json'`,
    `-d ${quoted(body)}`,
  ]);
}

function curlOf(address: string, { withKey }: Place, parts: readonly string[]): string {
  const key = withKey ? [`-H "authorization: Bearer $WINNOW_API_KEY"`] : [];
  return [`curl -sS ${quoted(address)}`, ...key, ...parts].join(' \\\n  ');
}

/** The key comes from WINNOW_API_KEY, which the client reads by itself. */
function typescriptOf({ url }: Place, code: string): string {
  return `import { Winnow } from 'winnow-client';

const winnow = new Winnow({ url: ${JSON.stringify(url)} });
${code}`;
}

/** As the client takes it: with values of enums in lower case. */
function clientOperation({ operation }: Pick<Submission, 'operation'>): Record<string, Options> {
  const parts = Object.entries(operation).map(([name, given]) => {
    const options = given as Options;
    if (!Array.isArray(options.fields)) return [name, options] as const;
    const fields = options.fields.map((field: { type?: string }) =>
      field.type ? { ...field, type: field.type.toLowerCase() } : field,
    );
    return [name, { ...options, fields }] as const;
  });
  return Object.fromEntries(parts);
}

function sourceOf({ source }: Submission): object {
  return 'fileId' in source ? { fileId: source.fileId } : source.texts;
}

function asJson(value: object): string {
  return JSON.stringify(value, null, 2);
}

/** JSON is TypeScript. */
function asCode(value: object): string {
  return asJson(value);
}

/** For a shell. */
function quoted(text: string): string {
  return /^[\w./:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
