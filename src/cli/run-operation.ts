/** `winnow label FILE …` and the other operations, from the command line to the answers. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Batch, BatchFailed, type BatchState, type OperationName } from '../client/index.ts';
import { count, counted, dollars, duration } from './columns.ts';
import type { CommandOutcome } from './commands.ts';
import { Ended, exits, Paused, WrongUse } from './failure.ts';
import { type Given, numberOf } from './flags.ts';
import { firstItems, type Input, openInput } from './input.ts';
import { type Job, openBatch, readSettings } from './job.ts';
import { answerNow, type Operation, readOperation, sampleSize } from './operation.ts';
import {
  formatFor,
  printFirst,
  printOutput,
  printTable,
  readTarget,
  saveOutput,
  type Target,
} from './output.ts';
import { createProgress, type Progress } from './progress.ts';
import { type Server, withServer } from './server.ts';
import type { Shell } from './shell.ts';

/** After a Ctrl-C, for another that cancels the batch. */
const secondPressMs = 1_500;

/** All that is wrong with the command line is told before the server is looked for. */
export async function runOperation(
  name: OperationName,
  given: Given,
  shell: Shell,
): Promise<CommandOutcome> {
  const operation = await readOperation(name, given);
  const settings = await readSettings(given);
  const sample = numberOf(given, 'sample', { min: 1, max: sampleSize });
  if (sample !== undefined && name === 'chat') throw new WrongUse('winnow chat has no --sample');
  if (given.has('detach') && given.has('local')) {
    throw new WrongUse('--detach needs a server that stays: --local ends with the command');
  }
  const target = await readTarget(given);
  const input = await openInput(given, shell);
  return await withServer(given, shell, async (server) =>
    sample === undefined
      ? await runBatch({ given, operation, settings, input }, { target, server, shell })
      : await runSample(sample, { given, operation, input, server, shell }),
  );
}

async function runSample(
  rows: number,
  {
    given,
    operation,
    input,
    server: { winnow },
    shell,
  }: { given: Given; operation: Operation; input: Input; server: Server; shell: Shell },
): Promise<CommandOutcome> {
  const { signal } = shell.ending;
  const file = await input.upload(winnow);
  const { items, answers } = await (async () => {
    const items = await firstItems(winnow, file, rows, signal);
    return { items, answers: await answerNow(winnow, operation, items, signal) };
  })().finally(() => winnow.files.delete(file.id));
  const { results, usage } = answers;
  const failed = results.filter(({ error }) => error !== null).length;
  if (!given.has('json')) {
    await printTable(
      shell,
      results.map(({ index, customId, error, rejectedAnswer: _r, usage: _u, ...answer }) => ({
        id: String(customId),
        text: items[index]?.content ?? '',
        answer: error === null ? answerOf(answer) : null,
        problem: String((error as { code?: unknown } | null)?.code),
      })),
    );
  }
  const exit = failed > 0 && !given.has('allow-failures') ? exits.rowsFailed : exits.done;
  return { exit, json: { results, usage } };
}

/** The members of an answer that its operation has, without null. */
function answerOf(answer: Readonly<Record<string, unknown>>): unknown {
  const { data, label, labels, summary, text, confidence, confidenceMethod } = answer;
  if (data) return data;
  if (label) return { label, confidence, confidenceMethod };
  return labels ? { labels } : (summary ?? text ?? '-');
}

/** Watches the batch of the command to its end, and gives its answers. */
async function runBatch(
  job: Job,
  { target, server, shell }: { target: Target; server: Server; shell: Shell },
): Promise<CommandOutcome> {
  const { given } = job;
  const { winnow } = server;
  const { signal } = shell.ending;
  const isQuiet = given.has('quiet') || given.has('json');
  const progress = createProgress(shell.stderr, { env: shell.env, isQuiet });
  server.listener = (sentence) => progress.tell(sentence);
  let batch: Batch | null = null;
  try {
    batch = await openBatch(job, { winnow, shell, progress });
    if (given.has('detach')) {
      if (!given.has('json')) await shell.print(batch.id);
      return { exit: exits.done, json: { batch, output: null } };
    }
    await watchBatch(batch, { progress, server, signal, isNew: given.has('new') });
    const format = await formatFor(target, { winnow, id: batch.id, signal });
    if (target.file !== null) await saveOutput(batch, target.file, format, { signal });
    else if (given.has('json')) await shell.write('');
    else if (shell.stdout.isTTY) await printFirst(shell, batch, signal);
    else await printOutput(shell, batch, format, { signal });
    if (target.file !== null) progress.tell(`The answers are in ${target.file}.`);
  } catch (error) {
    progress.end();
    if (signal.aborted) throw await detach(batch, { server, shell, isNew: given.has('new') });
    throw error;
  }
  tellOfFailures(batch, shell, server);
  const hasFailures = batch.counts.failed > 0 && !given.has('allow-failures');
  const exit = hasFailures ? exits.rowsFailed : exits.done;
  return { exit, json: { batch, output: target.file } };
}

/**
 * Shows the batch until its end. Throws BatchFailed where it does not complete, and Paused where
 * it is paused: also until the next month, which is too long for a command.
 */
export async function watchBatch(
  batch: Batch,
  {
    progress,
    server,
    signal,
    isNew = false,
  }: {
    progress: Progress;
    server: Pick<Server, 'isLocal'>;
    signal: AbortSignal;
    /** The command that watches would make another batch. */
    isNew?: boolean;
  },
): Promise<void> {
  try {
    progress.tell(`${batch.id}  ${batch.name ?? ''}  ${counted(batch.counts.total, 'row')}`);
    for await (const state of batch.watch({ signal })) {
      progress.show(state);
      if (state.status === 'paused') {
        const { isLocal } = server;
        const projection = await batch.projection({ signal });
        throw new Paused(state, { isLocal, isNew, projection });
      }
    }
  } finally {
    progress.end();
  }
  progress.tell(summaryOf(batch));
  if (batch.status !== 'completed') throw new BatchFailed(batch);
}

/** Rows, requests, cost and time, in a sentence. */
function summaryOf({ status, counts, usage, startedAt, completedAt }: BatchState): string {
  const failed = counts.failed > 0 ? `, ${count(counts.failed)} failed` : '';
  const cost = usage.costUsd === null ? '' : `, ${dollars(usage.costUsd)}`;
  const ms = (completedAt?.getTime() ?? 0) - (startedAt?.getTime() ?? 0);
  return `${status}: ${count(counts.succeeded)} of ${counted(counts.total, 'row')} answered${failed}; ${counted(usage.requests, 'request')}${cost}, ${duration(ms)}`;
}

/** Failures that the same request brings again: a retry is not offered where there is no other. */
const lasting: ReadonlySet<BatchState['errorSummary'][number]['code']> = new Set([
  'CONTEXT_TOO_LONG',
  'EMPTY_CONTENT',
  'INVALID_REQUEST',
  'TEMPLATE_FIELD_MISSING',
]);

/** Counts the reasons on standard error, and says how to retry. */
export function tellOfFailures(
  { id, counts, errorSummary }: BatchState,
  shell: Shell,
  { isLocal }: Pick<Server, 'isLocal'>,
): void {
  if (counts.failed === 0) return;
  for (const reason of errorSummary) {
    shell.tell(`${counted(reason.count, 'row')} failed with ${reason.code}: ${reason.message}`);
  }
  const lost = errorSummary.filter(({ code }) => lasting.has(code));
  if (lost.reduce((sum, reason) => sum + reason.count, 0) === counts.failed) {
    shell.tell('A retry fails again: other rows or other options are needed.');
    return;
  }
  const retry = `winnow retry ${id}${isLocal ? ' --local' : ''}`;
  shell.tell(`${retry} sends them again; then the same command fetches the answers.`);
}

/** Waits for a second Ctrl-C, which cancels. The error says what becomes of the batch. */
async function detach(
  batch: Batch | null,
  { server, shell, isNew }: { server: Server; shell: Shell; isNew: boolean },
): Promise<Ended> {
  if (!batch) return new Ended('Ended before the batch was there.');
  const { hurry } = shell.ending;
  const watch = `winnow show ${batch.id} --watch`;
  const waitsFor = isNew ? `${watch} --local` : 'the next run of the same command';
  const goesOn = server.isLocal
    ? `${batch.id} waits for ${waitsFor}`
    : `${batch.id} goes on; ${watch}`;
  shell.tell(`${goesOn}\nCtrl-C once more cancels it.`);
  await delay(secondPressMs, undefined, { signal: hurry }).catch(() => undefined);
  if (!hurry.aborted) return new Ended(goesOn, { isTold: true });
  await batch.cancel();
  const retries = isNew ? `winnow retry ${batch.id}` : 'the same command';
  return new Ended(`${batch.id} is cancelled; ${retries} retries what was left.`);
}
