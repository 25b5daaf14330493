/** Ten batches as a user would submit them: each operation but `run`, and each state that lasts. */
import { until } from '../support/until.ts';

type Data = Record<string, any>;
type Ask = (query: string, variables?: Data) => Promise<Data>;

export interface SeededBatch {
  id: string;
  name: string;
  /** As it is when all ten are as they will stay, but for the large one. */
  status: string;
}

const texts = Array.from({ length: 20 }, (_, n) =>
  n % 2 === 0
    ? `I love parcel ${n}, thank you! Write to person${n}@example.org.`
    : `Parcel ${n} never came, worst service ever.`,
);
const categories = ['praise', 'complaint'];
/** At the sandbox's pace it is under way for some seconds. */
const largeRows = 20_000;

/** What each is called, its input, and the status that it comes to. */
const submits: readonly { name: string; comesTo: string; input: Data }[] = [
  {
    name: 'labels, all answered',
    comesTo: 'COMPLETED',
    input: { operation: { label: { categories } }, source: { texts } },
  },
  {
    name: 'addresses, two items blank',
    comesTo: 'COMPLETED',
    input: {
      operation: { extract: { schema: { email: 'string' } } },
      source: { texts: [...texts, ' ', ' '] },
    },
  },
  {
    name: 'summaries, through the batch API',
    comesTo: 'COMPLETED',
    input: { execution: 'PROVIDER_BATCH', operation: { summarize: {} }, source: { texts } },
  },
  {
    name: 'new columns',
    comesTo: 'COMPLETED',
    input: {
      operation: { enrich: { fields: [{ name: 'email', type: 'TEXT', description: 'Address' }] } },
      source: { texts },
    },
  },
  {
    name: 'chat requests',
    comesTo: 'COMPLETED',
    input: {
      operation: { chat: {} },
      source: { requests: texts.map((content) => ({ messages: [{ role: 'user', content }] })) },
    },
  },
  {
    name: 'a draft',
    comesTo: 'DRAFT',
    input: { autoStart: false, operation: { label: { categories } }, source: { texts } },
  },
  {
    name: 'expired before its start',
    comesTo: 'EXPIRED',
    input: {
      autoStart: false,
      expiresInSeconds: 1,
      operation: { label: { categories } },
      source: { texts },
    },
  },
];

/** Submits them, and waits until all but the large one have come to their status. */
export async function seedBatches(url: string, key?: string): Promise<SeededBatch[]> {
  const headers: Record<string, string> =
    key === undefined ? {} : { authorization: `Bearer ${key}` };
  const ask: Ask = async (query, variables = {}) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data: Data; errors?: Data[] };
    if (errors) throw new Error(errors.map(({ message }) => message).join('; '));
    return data;
  };
  const upload = async (name: string, body: string): Promise<string> => {
    const response = await fetch(`${url}/files?name=${name}`, { method: 'POST', headers, body });
    if (!response.ok) throw new Error(await response.text());
    return ((await response.json()) as { id: string }).id;
  };

  const ids = new Map<string, string>();
  for (const { name, comesTo, input } of submits) {
    ids.set(await submit(ask, { name, ...input }), comesTo);
  }
  const cancelled = await submit(ask, {
    name: 'cancelled before its start',
    autoStart: false,
    operation: { label: { categories } },
    source: { texts },
  });
  await ask('mutation ($id: ID!) { cancelBatch(id: $id) { batch { id } } }', { id: cancelled });
  ids.set(cancelled, 'CANCELLED');
  const repeated = await upload('repeated.csv', 'text,author\nGood,Ada\nBad,Ada\n');
  const stopped = await submit(ask, {
    name: 'stopped, as ids repeat',
    customIdField: 'author',
    operation: { label: { categories } },
    source: { fileId: repeated },
  });
  ids.set(stopped, 'FAILED');
  const rows = Array.from({ length: largeRows }, (_, n) => texts[n % texts.length]);
  const large = await submit(ask, {
    name: 'a large file, under way',
    operation: { label: { categories } },
    source: { fileId: await upload('large.txt', rows.join('\n')) },
  });

  const seeded = await untilSettled(ask, ids);
  return [...seeded, await read(ask, large)];
}

async function submit(ask: Ask, input: Data): Promise<string> {
  const query = `mutation ($input: SubmitBatchInput!) { submitBatch(input: $input) { batch { id } } }`;
  return (await ask(query, { input })).submitBatch.batch.id;
}

async function read(ask: Ask, id: string): Promise<SeededBatch> {
  return (await ask('query ($id: ID!) { batch(id: $id) { id name status } }', { id })).batch;
}

/** `ids` has the status that each batch comes to. */
async function untilSettled(ask: Ask, ids: ReadonlyMap<string, string>): Promise<SeededBatch[]> {
  let batches: SeededBatch[] = [];
  await until(
    async () => {
      batches = await Promise.all([...ids.keys()].map((id) => read(ask, id)));
      return batches.every(({ id, status }) => status === ids.get(id));
    },
    { deadlineMs: 60_000, what: 'each batch in the state that it comes to' },
  );
  return batches;
}
