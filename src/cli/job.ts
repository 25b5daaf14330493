/** The batch of a command: the one that there is of the same file and options, or a new one. */
import {
  BadUserInput,
  type Batch,
  Conflict,
  type ModelQuote,
  type QuoteOptions,
  RateLimited,
  type SubmitOptions,
  type Winnow,
  type WinnowFile,
} from '../client/index.ts';
import { ask } from './ask.ts';
import { counted } from './columns.ts';
import { isSandbox, modelOf, quoteText } from './estimate.ts';
import { WrongUse } from './failure.ts';
import { type FlagName, type Given, numberOf, onOffOf } from './flags.ts';
import { type Input, keyOf } from './input.ts';
import { asSubmit, type Operation } from './operation.ts';
import type { Progress } from './progress.ts';
import type { Shell } from './shell.ts';
import { objectOf } from './values.ts';

/** Above that, or without a known price, somebody must agree. */
const freeUsd = 1;

export const submitFlags: readonly FlagName[] = [
  'batch-api',
  'rescue',
  'max-cost',
  'preview',
  'deduplicate',
  'expires',
  'webhook',
  'metadata',
  'name',
  'new',
];

const maxCostUsd = 1_000_000;
const maxExpirySeconds = 30 * 24 * 3_600;

export type Settings = Pick<
  SubmitOptions,
  | 'name'
  | 'metadata'
  | 'execution'
  | 'rescue'
  | 'maxCostUsd'
  | 'preview'
  | 'deduplicate'
  | 'promptCaching'
  | 'webhookUrl'
  | 'expiresInSeconds'
>;

/** Settings of a submit beside its operation. Throws WrongUse. */
export async function readSettings(given: Given): Promise<Settings> {
  if (given.has('rescue') && !given.has('batch-api')) {
    throw new WrongUse('--rescue needs --batch-api');
  }
  return {
    name: given.text('name'),
    metadata: await objectOf(given, 'metadata'),
    execution: given.has('batch-api') ? 'provider_batch' : undefined,
    rescue: given.has('rescue') || undefined,
    maxCostUsd: maxCostOf(given),
    preview: numberOf(given, 'preview', { min: 10, max: 1_000 }),
    deduplicate: onOffOf(given, 'deduplicate'),
    promptCaching: onOffOf(given, 'prompt-caching'),
    webhookUrl: given.text('webhook'),
    expiresInSeconds: numberOf(given, 'expires', { min: 1, max: maxExpirySeconds }),
  };
}

/** The USD of --max-cost. */
export function maxCostOf(given: Given): number | undefined {
  return numberOf(given, 'max-cost', { min: 0, isAbove: true, max: maxCostUsd, whole: false });
}

export interface Job {
  given: Given;
  operation: Operation;
  settings: Settings;
  input: Input;
}

/** The batch, which runs or has ended. Throws WrongUse where consent is missing. */
export async function openBatch(
  job: Job,
  { winnow, shell, progress }: { winnow: Winnow; shell: Shell; progress: Progress },
): Promise<Batch> {
  const { input, given } = job;
  const { signal } = shell.ending;
  // What comes by a pipe can be hashed no earlier than it is uploaded.
  let file = input.path === null ? await input.upload(winnow) : null;
  const { operation, settings } = job;
  // The same command with a higher limit, or without the preview, is to go on with its batch.
  const { maxCostUsd: _limit, preview: _preview, ...lasting } = settings;
  const key = keyOf(await input.hash(), {
    path: input.path,
    isNew: given.has('new'),
    operation,
    settings: lasting,
    column: given.text('column'),
    id: given.text('id'),
  });
  const known = await findBatch(winnow, key, signal);
  if (known) {
    if (file) await winnow.files.delete(file.id);
    return await goOn(known, job, { shell, progress });
  }
  file ??= await input.upload(winnow);
  try {
    tellOfFile(file, progress);
    await agreeToCost(file, job, { winnow, shell, progress });
    const source = { id: file.id };
    const submit = { ...asSubmit(operation), ...settings, source, idempotencyKey: key, signal };
    return await winnow.batches.submit(submit as SubmitOptions);
  } catch (error) {
    await winnow.files.delete(file.id).catch(() => undefined); // the first failure tells more
    // Another run of the same command was quicker, or this one was ended while it submitted.
    const mayBe = error instanceof Conflict || signal.aborted;
    const other = mayBe ? await findBatch(winnow, key) : null;
    if (!other) throw error;
    return await goOn(other, job, { shell, progress });
  }
}

async function findBatch(winnow: Winnow, key: string, signal?: AbortSignal): Promise<Batch | null> {
  for await (const batch of winnow.batches.list({ idempotencyKey: key, signal })) return batch;
  return null;
}

/** Starts what waits, and retries what was left of a batch that was stopped. */
async function goOn(
  batch: Batch,
  job: Job,
  { shell, progress }: { shell: Shell; progress: Progress },
): Promise<Batch> {
  const { signal } = shell.ending;
  const { maxCostUsd } = job.settings;
  if (batch.status === 'cancelling') for await (const _ of batch.watch({ signal }));
  await changeLimit(batch, maxCostUsd, signal);
  if (batch.status === 'draft') return await batch.start({ signal });
  await endPreview(batch, job, { shell, progress });
  await endOwnerPause(batch, maxCostUsd, signal);
  const { id, status, counts, error } = batch;
  if (status === 'completed') {
    progress.tell(`${id} of the same file and options is completed; --new makes another.`);
  } else if (status === 'queued' || status === 'processing') {
    progress.tell(`${id} of the same file and options goes on.`);
  } else if (status === 'paused') {
    progress.tell(`${id} has the same file and options.`); // what it waits for is told at its end
    if (isOther(batch, maxCostUsd)) {
      progress.tell(`Its limit stays as it is; winnow resume ${id} --max-cost USD changes it.`);
    }
  } else {
    const left = counts.total - counts.succeeded;
    if (left > 0) await batch.retry({ signal });
    await changeLimit(batch, maxCostUsd, signal);
    progress.tell(
      `${id} was ${status}${error ? ` (${error})` : ''}; ${counted(left, 'row')} without an answer: sent again.`,
    );
  }
  return batch;
}

/** Without --preview the rows behind a preview run too, where somebody agrees. */
async function endPreview(
  batch: Batch,
  { settings, given }: Job,
  { shell, progress }: { shell: Shell; progress: Progress },
): Promise<void> {
  if (batch.pauseReason !== 'preview' || settings.preview !== undefined) return;
  const { counts, model, quote, execution } = batch;
  const maxCostUsd = settings.maxCostUsd ?? batch.maxCostUsd;
  const { signal } = shell.ending;
  const projected = await batch.projection({ signal });
  const isPriced = projected?.costUsd ?? quote?.liveUsd;
  if (isPriced || !isSandbox(model)) {
    const text = costText(counts.total, model, quote);
    const most =
      projected?.costUsd?.high ?? mostUsd(quote, { rows: counts.total, execution, maxCostUsd });
    await agree(text, Math.min(most, maxCostUsd ?? most), { given, shell, progress });
  }
  await batch.resume({ maxCostUsd: settings.maxCostUsd ?? undefined, signal });
}

/**
 * A batch that its owner's month paused goes on where the month has room. The server would see that
 * by itself, but later than this command looks.
 */
async function endOwnerPause(
  batch: Batch,
  limitUsd: Settings['maxCostUsd'],
  signal: AbortSignal,
): Promise<void> {
  if (batch.pauseReason !== 'owner_budget') return;
  await batch.resume({ maxCostUsd: limitUsd ?? undefined, signal }).catch((error: unknown) => {
    const isOfMonth = error instanceof BadUserInput && error.issues[0]?.path === 'id';
    if (!isOfMonth) throw error;
  });
}

/** A batch that its old limit paused goes on; one that somebody paused stays so. */
async function changeLimit(
  batch: Batch,
  limitUsd: Settings['maxCostUsd'],
  signal: AbortSignal,
): Promise<void> {
  if (!isOther(batch, limitUsd)) return;
  const { status, pauseReason } = batch;
  const isOpen = ['draft', 'queued', 'processing'].includes(status) || pauseReason === 'budget';
  if (isOpen) await batch.resume({ maxCostUsd: limitUsd, signal });
}

/** A limit is asked for, and it is not the one that the batch has. */
function isOther(batch: Batch, limitUsd: Settings['maxCostUsd']): limitUsd is number {
  return typeof limitUsd === 'number' && limitUsd !== batch.maxCostUsd;
}

function tellOfFile(file: WinnowFile, progress: Progress): void {
  for (const warning of file.warnings) progress.tell(warning);
  if (file.rejectedCount === 0) return;
  const [first] = file.rejections;
  progress.tell(
    `${counted(file.rejectedCount, 'row')} were refused${first ? `, such as row ${first.row}: ${first.reason}` : ''}`,
  );
}

async function agreeToCost(
  file: WinnowFile,
  { operation, settings, given }: Job,
  { winnow, shell, progress }: { winnow: Winnow; shell: Shell; progress: Progress },
): Promise<void> {
  const { signal } = shell.ending;
  const model = await modelOf(winnow, operation, signal);
  const rows = file.itemCount;
  const { deduplicate } = settings;
  const quote = await readQuote(file, operation, { winnow, deduplicate, signal });
  // The sandbox costs nothing, unless PRICES of the server says what it does.
  if (isSandbox(model) && !quote?.liveUsd) return;
  const text = costText(rows, model, quote);
  await agree(text, mostUsd(quote, { rows, ...settings }), { given, shell, progress });
}

function costText(rows: number, model: string, quote: ModelQuote | null): string {
  const what = `${counted(rows, 'row')} to ${model}`;
  return quote ? `${what}: ${quoteText(quote)}` : `${what}, at an unknown price`;
}

/** Throws WrongUse where nobody agrees to what may cost more than a dollar. */
async function agree(
  text: string,
  usd: number,
  { given, shell, progress }: { given: Given; shell: Shell; progress: Progress },
): Promise<void> {
  const isFree = given.has('yes') || usd <= freeUsd;
  if (!isFree && (!shell.canAsk || given.has('json'))) {
    throw new WrongUse(`${text}. Nothing was sent: --yes agrees.`);
  }
  progress.tell(`${text}.`);
  if (isFree) return;
  if (!(await ask(shell, 'Send them?'))) throw new WrongUse('Nothing was sent.');
}

/** Null where the server has no time to count. */
async function readQuote(
  file: WinnowFile,
  operation: Operation,
  {
    winnow,
    deduplicate,
    signal,
  }: { winnow: Winnow; deduplicate: Settings['deduplicate']; signal: AbortSignal },
): Promise<ModelQuote | null> {
  const options = { ...asSubmit(operation), source: { id: file.id }, deduplicate, signal };
  try {
    const quote = await winnow.quote(options as QuoteOptions);
    return quote.models[0] ?? null;
  } catch (error) {
    if (error instanceof RateLimited) return null;
    throw error;
  }
}

/** The most that is spent before the next pause. Infinite where no price or limit is known. */
function mostUsd(
  quote: ModelQuote | null,
  { rows, execution, maxCostUsd, preview }: Settings & { rows: number },
): number {
  const isJob = execution === 'provider_batch' && !preview; // previews are called live
  const usd = isJob ? quote?.providerBatchUsd : quote?.liveUsd;
  const share = preview ? Math.min(1, preview / rows) : 1;
  const endless = Number.POSITIVE_INFINITY;
  return Math.min((usd?.high ?? endless) * share, maxCostUsd ?? endless);
}
