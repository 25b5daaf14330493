import { recordsOf } from '../core/json.ts';

/** A chat completion's choice with index 0, wherever it stands; else the one that stands first. */
export function firstChoice(choices: unknown): Record<string, unknown> | undefined {
  const records = recordsOf(choices);
  return records.find(({ index }) => index === 0) ?? records[0];
}
