import { join } from 'node:path';
import { ask } from '../cli/ask.ts';
import { count } from '../cli/columns.ts';
import { isSandbox } from '../cli/estimate.ts';
import { saveOutput } from '../cli/output.ts';
import { createProgress } from '../cli/progress.ts';
import { watchBatch } from '../cli/run-operation.ts';
import type { Shell } from '../cli/shell.ts';
import { type Batch, BatchFailed, type BatchState, type Winnow } from '../client/index.ts';
import { quoteReport } from './consent.ts';
import { type Dataset, readDataset } from './dataset.ts';
import { entry, print } from './lines.ts';
import type { Options } from './options.ts';
import { nextReport, resultReport } from './report.ts';
import { readOutput } from './score.ts';
import type { OwnWinnow } from './winnow.ts';

/** Without a terminal: wide enough for whole questions, but not endless. */
const plainColumns = 120;

const otherModel = 'DEFAULT_MODEL=provider/name chooses another model; --sandbox needs none.';

/**
 * Asks for consent where needed, labels, saves, reports. False without consent. An aborted signal
 * cancels the batch and throws. Throws an Error when the batch fails.
 */
export async function labelQuestions({
  options: { items, directory, exit },
  asks,
  model,
  own,
  winnow,
  shell,
}: {
  options: Options;
  asks: boolean;
  model: string;
  own: OwnWinnow;
  winnow: Winnow;
  shell: Shell;
}): Promise<boolean> {
  const { signal } = shell.ending;
  const dataset = await readDataset(items);
  const { questions, categories } = dataset;
  print(
    entry(
      'Task',
      `label ${count(questions.length)} bank questions, ${categories.length} categories`,
    ),
  );
  if (!isSandbox(model)) {
    print(await quoteReport(winnow, dataset, signal));
    if (asks && !(await ask(shell, '\nSend them?'))) {
      print('Nothing was sent.');
      return false;
    }
  }
  await own.startWorker();
  const batch = await runBatch(winnow, dataset, shell);

  const saved = { csv: join(directory, 'answers.csv'), jsonl: join(directory, 'answers.jsonl') };
  await saveOutput(batch, saved.csv, 'csv', { signal });
  await saveOutput(batch, saved.jsonl, 'jsonl', { include: ['input'], signal });
  const records = await readOutput(saved.jsonl);
  const columns = process.stdout.columns || plainColumns;
  print(resultReport({ batch, records, categories: categories.length, saved, columns }));
  print(nextReport({ url: exit ? null : own.url, batch }));
  return true;
}

/** The batch in its final state; its progress is shown meanwhile. */
async function runBatch(
  winnow: Winnow,
  { questions, categories }: Dataset,
  { stdout, env, ending: { signal } }: Shell,
): Promise<Batch> {
  const batch = await winnow.batches.submit({
    name: 'Demo: bank questions by intent',
    label: { categories },
    source: { items: questions },
    signal,
  });
  try {
    const progress = createProgress(stdout, { env, isQuiet: false });
    await watchBatch(batch, { progress, server: { isLocal: false }, signal });
  } catch (error) {
    if (signal.aborted) await batch.cancel();
    throw error instanceof BatchFailed ? new Error(`${error.message}\n${otherModel}`) : error;
  }
  refuseSilence(batch);
  return batch;
}

function refuseSilence({ model, counts, errorSummary }: BatchState): void {
  if (counts.succeeded > 0) return;
  const [first] = errorSummary;
  throw new Error(
    `No question was answered by ${model}: ${first ? `${first.code}, ${first.message}` : 'no reason is known'}\n${otherModel}`,
  );
}
