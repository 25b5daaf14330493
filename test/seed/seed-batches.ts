/** Ten batches as a user would submit them: each operation but `run`, and each state that lasts. */
import {
  type Batch,
  BatchFailed,
  type BatchStatus,
  type SubmitOptions,
  Winnow,
} from '../../src/client/index.ts';

const texts = Array.from({ length: 20 }, (_, n) =>
  n % 2 === 0
    ? `I love parcel ${n}, thank you! Write to person${n}@example.org.`
    : `Parcel ${n} never came, worst service ever.`,
);
const label = { categories: ['praise', 'complaint'] };
/** At the sandbox's pace it is under way for some seconds. */
const largeRows = 20_000;

/** What each is called, its input, and the status that it comes to. */
const submits: readonly [name: string, comesTo: BatchStatus, input: SubmitOptions][] = [
  ['labels, all answered', 'completed', { label, source: texts }],
  [
    'addresses, two items blank',
    'completed',
    { extract: { schema: { email: 'string' } }, source: [...texts, ' ', ' '] },
  ],
  [
    'summaries, through the batch API',
    'completed',
    { summarize: {}, source: texts, execution: 'provider_batch' },
  ],
  [
    'new columns',
    'completed',
    { enrich: { fields: [{ name: 'email', description: 'Address' }] }, source: texts },
  ],
  [
    'chat requests',
    'completed',
    {
      chat: {},
      source: { requests: texts.map((content) => ({ messages: [{ role: 'user', content }] })) },
    },
  ],
  ['a draft', 'draft', { label, source: texts, autoStart: false }],
  [
    'expired before its start',
    'expired',
    { label, source: texts, autoStart: false, expiresInSeconds: 1 },
  ],
];

/**
 * Submits them, and waits until each but the draft and the large one has ended. Throws where one
 * comes to another status than it should.
 */
export async function seedBatches(url: string, apiKey?: string): Promise<Batch[]> {
  const winnow = new Winnow({ url, apiKey });
  const expected = new Map<Batch, BatchStatus>();
  for (const [name, comesTo, input] of submits) {
    expected.set(await winnow.batches.submit({ name, ...input }), comesTo);
  }
  const cancelled = await winnow.batches.submit({
    name: 'cancelled before its start',
    label,
    source: texts,
    autoStart: false,
  });
  expected.set(await cancelled.cancel(), 'cancelled');
  const repeated = new File(['text,author\nGood,Ada\nBad,Ada\n'], 'repeated.csv');
  const stopped = await winnow.batches.submit({
    name: 'stopped, as ids repeat',
    label,
    source: await winnow.files.upload(repeated),
    customIdField: 'author',
  });
  expected.set(stopped, 'failed');
  // Identical rows would be asked once.
  const rows = Array.from({ length: largeRows }, (_, n) => `${texts[n % texts.length]} (${n})`);
  const large = await winnow.batches.submit({
    name: 'a large file, under way',
    label,
    source: await winnow.files.upload(new File([rows.join('\n')], 'large.txt')),
  });

  await Promise.all([...expected].map(([batch, comesTo]) => settle(batch, comesTo)));
  return [...expected.keys(), await large.refresh()];
}

async function settle(batch: Batch, comesTo: BatchStatus): Promise<void> {
  if (comesTo !== 'draft') {
    await batch.done().catch((error: unknown) => {
      if (!(error instanceof BatchFailed)) throw error;
    });
  }
  if (batch.status !== comesTo) throw new Error(`${batch.name} is ${batch.status}: ${batch.error}`);
}
