/**
 * The number of items of a source that would not be asked, because an earlier one has the same
 * prompt.
 */
import { setImmediate } from 'node:timers/promises';
import { ItemFailure } from '../core/errors.ts';
import type { Sql } from '../db/driver/client.ts';
import { countTwins } from '../db/twins.ts';
import { takenOf } from '../engine/quote/count-prompts.ts';
import { type Plan, promptOf } from '../engine/run/plan.ts';
import type { RowFile } from '../files/row.ts';
import { takenTexts } from '../files/taken-texts.ts';
import type { PromptItem } from '../operations/operation.ts';
import type { CheckedSource } from './source.ts';

/** Items between two breaths of the event loop. */
const itemsAtOnce = 100;
/** Among more rows, identical ones are not looked for: a caller waits. */
const maxRows = 100_000;

/** `file` is how the rows are read. Null where there are too many. */
export async function countIdentical(
  sql: Sql,
  { plan, source, file }: { plan: Plan; source: CheckedSource; file: RowFile | null },
): Promise<number | null> {
  const { items, fileKey, itemCount } = source;
  if (itemCount > maxRows) return null;
  return file && fileKey !== null
    ? await countTwins(sql, fileKey, takenTexts(file, plan.operation.takes))
    : await countEqualPrompts(plan, items);
}

async function countEqualPrompts(plan: Plan, items: readonly PromptItem[]): Promise<number> {
  const prompts = new Set<string>();
  let identical = 0;
  for (const [index, item] of items.entries()) {
    const prompt = userPrompt(plan, item);
    if (prompts.has(prompt)) identical += 1;
    else prompts.add(prompt);
    if (index % itemsAtOnce === itemsAtOnce - 1) await setImmediate();
  }
  return identical;
}

/** The part of a prompt that differs from item to item. */
function userPrompt(plan: Plan, item: PromptItem): string {
  try {
    const prompt = promptOf(plan.operation, item);
    return 'body' in prompt ? JSON.stringify(prompt.body) : (prompt.messages.at(-1)?.content ?? '');
  } catch (error) {
    // An item that cannot be asked has twins as well: they take its error.
    if (error instanceof ItemFailure) return takenOf(plan, item);
    throw error;
  }
}
