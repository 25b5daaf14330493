/** Commands over batches that there are. */
import type { AnswerOptions, Batch, BatchState, ItemStatus } from '../client/index.ts';
import { ask } from './ask.ts';
import { cost, count, counted, dollars, percent, plain } from './columns.ts';
import type { CommandOutcome } from './commands.ts';
import { Ended, exits, WrongUse } from './failure.ts';
import { batchStatuses, type Given, listOf, numberOf } from './flags.ts';
import { maxCostOf } from './job.ts';
import { formatFor, includesOf, printOutput, readTarget, saveOutput } from './output.ts';
import { createProgress } from './progress.ts';
import { tellOfFailures, watchBatch } from './run-operation.ts';
import { withServer } from './server.ts';
import type { Shell } from './shell.ts';

const usualLimit = 20;
const maxLimit = 1_000_000;
const itemStatuses: readonly ItemStatus[] = [
  'pending',
  'processing',
  'succeeded',
  'failed',
  'cancelled',
  'expired',
];

/** The ID of a command line. Throws WrongUse without one. */
function idOf({ words: [command, id] }: Given): string {
  if (id === undefined) throw new WrongUse(`winnow ${command} needs the ID of a batch`);
  return id;
}

export function limitOf(given: Given): number {
  return numberOf(given, 'limit', { min: 1, max: maxLimit }) ?? usualLimit;
}

/** The items of a list of which only so many are asked for. */
export async function firstOf<Entry>(list: AsyncIterable<Entry>, limit: number): Promise<Entry[]> {
  const first: Entry[] = [];
  for await (const entry of list) {
    first.push(entry);
    if (first.length === limit) break;
  }
  return first;
}

export async function list(given: Given, shell: Shell): Promise<CommandOutcome> {
  const status = listOf(given, 'status', batchStatuses);
  const limit = limitOf(given);
  return await withServer(given, shell, async ({ winnow }) => {
    const { signal } = shell.ending;
    const all = winnow.batches.list({ status, name: given.text('name'), signal });
    const batches = await firstOf(all, limit);
    if (!given.has('json')) for (const batch of batches) await shell.print(lineOf(batch));
    return { exit: exits.done, json: { batches } };
  });
}

export async function show(given: Given, shell: Shell): Promise<CommandOutcome> {
  const id = idOf(given);
  return await withServer(given, shell, async (server) => {
    const { signal } = shell.ending;
    const batch = await server.winnow.batches.get(id, { signal });
    let exit: number = exits.done;
    if (given.has('watch')) {
      const isQuiet = given.has('quiet') || given.has('json');
      const progress = createProgress(shell.stderr, { env: shell.env, isQuiet });
      server.listener = (sentence) => progress.tell(sentence);
      await watchBatch(batch, { progress, server, signal }).catch((error: unknown) => {
        throw signal.aborted ? new Ended(`${id} goes on.`) : error;
      });
      tellOfFailures(batch, shell, server);
      if (batch.counts.failed > 0 && !given.has('allow-failures')) exit = exits.rowsFailed;
    }
    if (!given.has('json')) await shell.print(linesOf(batch).join('\n'));
    return { exit, json: { batch } };
  });
}

export async function output(given: Given, shell: Shell): Promise<CommandOutcome> {
  const id = idOf(given);
  const target = await readTarget(given);
  const status = listOf(given, 'status', itemStatuses);
  const include = includesOf(given);
  const answers = answersOf(given);
  return await withServer(given, shell, async ({ winnow }) => {
    const { signal } = shell.ending;
    const batch = await winnow.batches.get(id, { signal });
    const format = await formatFor(target, { winnow, id, signal });
    const options = { status, include, ...answers, signal };
    if (target.file !== null) await saveOutput(batch, target.file, format, options);
    else if (!given.has('json')) await printOutput(shell, batch, format, options);
    return { exit: exits.done, json: { batch, output: target.file } };
  });
}

/** Which answers the flags ask for. Throws WrongUse. */
function answersOf(given: Given): AnswerOptions {
  const range = { min: 0, max: 1, whole: false };
  return {
    labels: given.has('label') ? given.texts('label') : undefined,
    confidenceBelow: numberOf(given, 'confidence-below', range),
    confidenceFrom: numberOf(given, 'confidence-from', range),
  };
}

export async function change(
  kind: 'cancel' | 'pause' | 'resume' | 'retry' | 'start',
  given: Given,
  shell: Shell,
): Promise<CommandOutcome> {
  const id = idOf(given);
  return await withServer(given, shell, async ({ winnow }) => {
    const { signal } = shell.ending;
    const batch = await winnow.batches.get(id, { signal });
    if (kind === 'resume') await batch.resume({ maxCostUsd: maxCostOf(given), signal });
    else await batch[kind]({ signal });
    if (!given.has('json')) await shell.print(lineOf(batch));
    return { exit: exits.done, json: { batch } };
  });
}

export async function remove(given: Given, shell: Shell): Promise<CommandOutcome> {
  const id = idOf(given);
  if (!given.has('yes') && (!shell.canAsk || given.has('json'))) {
    throw new WrongUse('winnow delete asks on a terminal; elsewhere it needs --yes');
  }
  return await withServer(given, shell, async ({ winnow }) => {
    const { signal } = shell.ending;
    const batch = await winnow.batches.get(id, { signal });
    const question = `Delete ${lineOf(batch)}?`;
    if (!given.has('yes') && !(await ask(shell, question))) {
      throw new WrongUse('Nothing was deleted.');
    }
    await batch.delete({ signal });
    if (!given.has('json')) await shell.print(`${id} is deleted`);
    return { exit: exits.done, json: { deletedId: id } };
  });
}

/** A batch in one line, its id first. */
function lineOf({ id, status, operation, progress, counts, name }: BatchState): string {
  const facts = [
    id,
    status,
    operation,
    percent(progress, 0),
    counted(counts.total, 'row'),
    name ?? '',
  ];
  return plain(facts.join('  ')).trimEnd();
}

type Fact = [label: string, text: string];

function linesOf(batch: Batch): string[] {
  const { counts, usage, maxCostUsd, resentRequests, reused, waiting, errorSummary } = batch;
  const time = (value: Date | null) => value?.toISOString() ?? '-';
  const facts: Fact[] = [
    ['id', batch.id],
    ['name', batch.name ?? '-'],
    ['status', `${batch.status}, ${percent(batch.progress, 0)}`],
    ['operation', `${batch.operation} by ${batch.model}`],
    [
      'rows',
      `${count(counts.total)}: ${count(counts.succeeded)} succeeded, ${count(counts.failed)} failed, ${count(counts.pending + counts.processing)} open`,
    ],
    ['requests', `${count(usage.requests)}, ${count(resentRequests)} of them sent again`],
    ...(reused?.identicalRows
      ? [
          [
            'reused',
            `${count(reused.identicalRows)} rows took the answer of an identical one`,
          ] as Fact,
        ]
      : []),
    ['tokens', `${count(usage.inputTokens)} in, ${count(usage.outputTokens)} out`],
    [
      'cost',
      `${cost(usage.costUsd)}${maxCostUsd === null ? '' : `, of at most ${dollars(maxCostUsd)}`}`,
    ],
    ['created', time(batch.createdAt)],
    ['completed', time(batch.completedAt)],
    ...(waiting ? [['waits', waiting.reason] as Fact] : []),
    ...(batch.pauseMessage ? [['paused', batch.pauseMessage] as Fact] : []),
    ...(batch.resumesAt ? [['goes on', time(batch.resumesAt)] as Fact] : []),
    ...(batch.error ? [['error', batch.error] as Fact] : []),
    ...errorSummary.map(
      ({ code, count: rows, message }): Fact => [
        'failed',
        `${count(rows)} with ${code}: ${message}`,
      ],
    ),
  ];
  return facts.map(([label, text]) => plain(`${label.padEnd(10)} ${text}`));
}
