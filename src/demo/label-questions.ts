import { join } from 'node:path';
import { type BatchState, cancelBatch, submitQuestions, watchBatch } from './batch.ts';
import type { Client } from './client.ts';
import { count, entry, print } from './columns.ts';
import { askConsent, estimateReport } from './consent.ts';
import { type Dataset, readDataset } from './dataset.ts';
import { estimate } from './estimate.ts';
import type { Options } from './options.ts';
import { createProgressLine } from './progress-line.ts';
import { isSandbox, nextReport, resultReport } from './report.ts';
import { readOutput } from './score.ts';
import type { OwnWinnow } from './winnow.ts';

/** Without a terminal: wide enough for whole questions, but not endless. */
const plainColumns = 120;

const otherModel = 'DEFAULT_MODEL=provider/name chooses another model; --sandbox needs none.';

/**
 * Asks for consent where needed, labels, saves, reports. False without consent. An aborted signal
 * cancels the batch and throws the signal's reason. Throws an Error when the batch fails.
 */
export async function labelQuestions({
  options: { items, directory, exit },
  asks,
  model,
  winnow,
  client,
  signal,
}: {
  options: Options;
  asks: boolean;
  model: string;
  winnow: OwnWinnow;
  client: Client;
  signal: AbortSignal;
}): Promise<boolean> {
  const dataset = await readDataset(items);
  const { questions, categories } = dataset;
  print(
    entry(
      'Task',
      `label ${count(questions.length)} bank questions, ${categories.length} categories`,
    ),
  );
  if (!isSandbox(model)) {
    print(estimateReport(model, await estimate(client, dataset, { model, signal })));
    if (asks && !(await askConsent(signal))) {
      print('Nothing was sent.');
      return false;
    }
  }
  await winnow.startWorker();
  const batch = await runBatch(client, dataset, signal);
  refuseFailure(batch);

  const saved = { csv: join(directory, 'answers.csv'), jsonl: join(directory, 'answers.jsonl') };
  const path = `/batches/${batch.id}/output`;
  await client.download(`${path}?format=csv`, saved.csv, signal);
  await client.download(`${path}?format=jsonl&include=input`, saved.jsonl, signal);
  const records = await readOutput(saved.jsonl);
  const columns = process.stdout.columns || plainColumns;
  print(resultReport({ batch, records, categories: categories.length, saved, columns }));
  print(nextReport({ url: exit ? null : winnow.url, batch }));
  return true;
}

/** The batch in its final state; its progress is shown meanwhile. */
async function runBatch(
  client: Client,
  dataset: Dataset,
  signal: AbortSignal,
): Promise<BatchState> {
  const id = await submitQuestions(client, dataset, signal);
  print(`${entry('Batch', id)}\n`);
  const line = createProgressLine(process.stdout);
  let last: BatchState | null = null;
  try {
    for await (const batch of watchBatch(client, id, signal)) {
      last = batch;
      line.show(batch);
    }
  } finally {
    line.end();
    if (signal.aborted) await cancelBatch(client, id);
  }
  if (!last) throw new Error('The subscription ended before its first event.');
  return last;
}

function refuseFailure({ status, error, model, counts, errorSummary }: BatchState): void {
  if (status !== 'COMPLETED') {
    throw new Error(
      `The batch ended as ${status}, with the model ${model}.${error ? ` ${error}` : ''}\n${otherModel}`,
    );
  }
  if (counts.succeeded === 0) {
    const [first] = errorSummary;
    throw new Error(
      `No question was answered by ${model}: ${first ? `${first.code}, ${first.message}` : 'no reason is known'}\n${otherModel}`,
    );
  }
}
