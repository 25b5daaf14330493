import { readFile } from 'node:fs/promises';
import Papa from 'papaparse';
import { z } from 'zod';

/** A question as submitBatch takes it, with the right answer in its metadata, which no model gets to see. */
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
const csvRow = z.object({ text: z.string(), category: z.string() });

/**
 * The bundled bank questions in their order. With `limit` that many, spread evenly: the file is sorted by category, so
 * that its beginning would be all of one kind.
 */
export async function readDataset(limit: number | null): Promise<Dataset> {
  const [csv, json] = await Promise.all([
    readFile(new URL('data/banking77_test.csv', import.meta.url), 'utf8'),
    readFile(new URL('data/banking77_categories.json', import.meta.url), 'utf8'),
  ]);
  const { data, errors } = Papa.parse(csv, { header: true, skipEmptyLines: true });
  if (errors[0]) throw new Error(`The bundled CSV cannot be read: ${errors[0].message}`);
  const questions = data.map((row, index): Question => {
    const { text, category } = csvRow.parse(row);
    return { customId: `question-${index + 1}`, content: text, metadata: { category } };
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
