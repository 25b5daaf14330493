import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { readCsvRecord } from '../files/read/csv-record.ts';

/** A question as submitBatch takes it. Its metadata has the right answer, which no model sees. */
interface Question {
  customId: string;
  content: string;
  metadata: { category: string };
}

export interface Dataset {
  questions: Question[];
  categories: string[];
}

const categoriesFile = z.array(z.string()).min(2);
const csvRow = z.tuple([z.string(), z.string()]);
const rules = { delimiter: 0x2c, quotes: true, spaced: false, bareReturns: false, isLast: true };

/**
 * The bundled bank questions in their order; with `limit` that many, spread evenly. The file is
 * sorted by category: its beginning would be all of one kind.
 */
export async function readDataset(limit: number | null): Promise<Dataset> {
  const [csv, json] = await Promise.all([
    readFile(new URL('data/banking77_test.csv', import.meta.url)),
    readFile(new URL('data/banking77_categories.json', import.meta.url), 'utf8'),
  ]);
  const questions = [...readRows(csv)].slice(1).map(([content, category], index): Question => {
    return { customId: `question-${index + 1}`, content, metadata: { category } };
  });
  return {
    questions: spread(questions, limit ?? questions.length),
    categories: categoriesFile.parse(JSON.parse(json)),
  };
}

/** At most `limit` of the values, at even distances. */
export function spread<T>(values: readonly T[], limit: number): T[] {
  const length = Math.min(limit, values.length);
  return Array.from({ length }, (_, at) => values[Math.floor((at * values.length) / length)] as T);
}

/** The text and the category of each row, those of the header first. */
function* readRows(csv: Buffer): Generator<[string, string]> {
  for (let at = 0; at < csv.length; ) {
    const record = readCsvRecord(csv, at, csv.length, rules);
    yield csvRow.parse(record?.cells);
    at = record?.next ?? csv.length;
  }
}
