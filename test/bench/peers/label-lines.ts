import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import pLimit from 'p-limit';
import type { BenchItem } from '../request.ts';

/** Labels the items of a JSONL file, so many at once, and writes the lines of the answers. */
export async function labelLines(
  { input, output, concurrency }: { input: string; output: string; concurrency: number },
  label: (item: BenchItem) => Promise<string>,
): Promise<void> {
  const limit = pLimit(concurrency);
  const answers = createWriteStream(output);
  const calls: Promise<void>[] = [];
  for await (const line of createInterface({ input: createReadStream(input) })) {
    const item = JSON.parse(line) as BenchItem;
    calls.push(limit(async () => void answers.write(await label(item))));
  }
  await Promise.all(calls);
  answers.end();
  await finished(answers);
}
