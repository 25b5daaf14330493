import { relative } from 'node:path';
import { styleText } from 'node:util';
import { count, dollars, duration, percent } from '../cli/columns.ts';
import { isSandbox } from '../cli/estimate.ts';
import type { BatchState } from '../client/index.ts';
import { spread } from './dataset.ts';
import { entry, list } from './lines.ts';
import { type CategoryScore, type OutputRecord, score } from './score.ts';
import { answerTable } from './table.ts';

const shownAnswers = 12;
const shownCategories = 3;
/** With fewer questions a category, best and worst are chance. */
const minPerCategory = 5;

/** Where the answers were saved. */
export interface Saved {
  csv: string;
  jsonl: string;
}

/** The report: some answers, agreement with the true categories, usage, and the saved files. */
export function resultReport({
  batch,
  records,
  categories,
  saved,
  columns,
}: {
  batch: BatchState;
  records: readonly OutputRecord[];
  categories: number;
  saved: Saved;
  columns: number;
}): string {
  const { total, agreed, categories: ranked, confusion } = score(records);
  const shown = spread(records, shownAnswers);
  const { usage } = batch;
  const cached = usage.cachedInputTokens;
  const seconds = ((batch.completedAt?.getTime() ?? 0) - (batch.startedAt?.getTime() ?? 0)) / 1000;
  const rate = batch.itemsPerSecond === null ? '' : `, ${count(batch.itemsPerSecond)} items/s`;

  return [
    '',
    styleText('bold', `${shown.length} of ${count(total)} answers, at even distances`),
    ...answerTable(shown, columns),
    '',
    styleText('bold', 'Result'),
    entry(
      'Agreement',
      `${styleText('bold', percent(agreed / total))} with the true categories: ${count(agreed)} of ${count(total)}`,
    ),
    entry('', `by chance it would be ${percent(1 / categories)}: one in ${categories}`),
    ...(isSandbox(batch.model)
      ? [
          entry('', 'the sandbox compares words by rule and is not a language model:'),
          entry('', 'the number is about its rules, not about Winnow'),
        ]
      : []),
    ...(total >= minPerCategory * ranked.length
      ? [
          ...list('Best', ranked.slice(0, shownCategories).map(categoryText), columns),
          ...list('Worst', ranked.slice(-shownCategories).reverse().map(categoryText), columns),
        ]
      : []),
    ...(confusion && confusion.times > 1
      ? [
          entry(
            'Confused',
            `${confusion.category} taken for ${confusion.label} ${confusion.times} times`,
          ),
        ]
      : []),
    ...batch.errorSummary.map(({ code, count: times, message }) =>
      entry('Failed', styleText('red', `${count(times)} with ${code}, such as: ${message}`)),
    ),
    entry('Model', `${batch.model}, ${count(usage.requests)} requests`),
    entry(
      'Tokens',
      `${count(usage.inputTokens)} in${cached > 0 ? ` (${count(cached)} from the cache)` : ''}, ${count(usage.outputTokens)} out`,
    ),
    entry('Cost', usage.costUsd === null ? 'no known price' : dollars(usage.costUsd)),
    entry('Time', `${duration(seconds * 1000)}${rate}`),
    entry('Saved', `${shortPath(saved.csv)}     ${styleText('dim', 'for a spreadsheet')}`),
    entry('', `${shortPath(saved.jsonl)}   ${styleText('dim', 'for programs')}`),
  ].join('\n');
}

/** Next steps, with the server still up, or without it. */
export function nextReport({
  url,
  batch: { id, model },
}: {
  /** Null when the server ends now. */
  url: string | null;
  batch: BatchState;
}): string {
  return [
    '',
    styleText('bold', 'Next'),
    ...(url
      ? [
          entry('Console', styleText('cyan', `${url}/console/batches/${id}`)),
          entry('GraphiQL', styleText('cyan', `${url}/graphql`)),
          entry('', `{ batch(id: "${id}") { progress`),
          entry('', '  items(first: 5) { edges { node { content output } } } } }'),
          entry('Download', `curl -fsS -o answers.csv \\`),
          entry('', `  '${url}/batches/${id}/output?format=csv'`),
        ]
      : [entry('Browse', `npm run demo   ${styleText('dim', 'without --exit it stays up')}`)]),
    entry(
      'Your data',
      `npm start   ${styleText('dim', 'a server to keep, with a data folder of its own')}`,
    ),
    ...(isSandbox(model)
      ? [
          entry('OpenAI', 'OPENAI_API_KEY=… npm run demo -- --items 100'),
          entry('Ollama etc.', 'OPENAI_BASE_URL=http://localhost:11434/v1 \\'),
          entry('', '  DEFAULT_MODEL=openai/NAME npm run demo -- --items 100'),
        ]
      : []),
    '',
  ].join('\n');
}

function categoryText({ category, agreed, total }: CategoryScore): string {
  return `${category} ${agreed}/${total}`;
}

function shortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}
