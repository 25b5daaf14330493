import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** One line of the downloaded output, as far as the demo reads it. */
const record = z.object({
  index: z.int(),
  status: z.string(),
  content: z.string(),
  metadata: z.object({ category: z.string() }),
  output: z.object({ label: z.string(), confidence: z.number().nullable() }).nullable(),
});

export type OutputRecord = z.output<typeof record>;

/** Number of labels that are true. An item without a label counts as wrong. */
export interface Score {
  total: number;
  agreed: number;
  /** The best first. */
  categories: CategoryScore[];
  /** The most frequent mistake; null without one. */
  confusion: { category: string; label: string; times: number } | null;
}

export interface CategoryScore {
  category: string;
  total: number;
  agreed: number;
}

export async function readOutput(file: string): Promise<OutputRecord[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => record.parse(JSON.parse(line)));
}

export function agrees({ output, metadata }: OutputRecord): boolean {
  return output?.label === metadata.category;
}

export function score(records: readonly OutputRecord[]): Score {
  const categories = new Map<string, CategoryScore>();
  const mistakes = new Map<string, NonNullable<Score['confusion']>>();
  for (const one of records) {
    const { category } = one.metadata;
    const entry = categories.get(category) ?? { category, total: 0, agreed: 0 };
    categories.set(category, entry);
    entry.total += 1;
    if (agrees(one)) {
      entry.agreed += 1;
    } else if (one.output) {
      const key = JSON.stringify([category, one.output.label]);
      const mistake = mistakes.get(key) ?? { category, label: one.output.label, times: 0 };
      mistakes.set(key, mistake);
      mistake.times += 1;
    }
  }
  const ranked = [...categories.values()].sort(
    (a, b) => b.agreed / b.total - a.agreed / a.total || a.category.localeCompare(b.category),
  );
  return {
    total: records.length,
    agreed: ranked.reduce((sum, { agreed }) => sum + agreed, 0),
    categories: ranked,
    confusion: [...mistakes.values()].sort((a, b) => b.times - a.times)[0] ?? null,
  };
}
