import { recordsOf } from '../core/json-record.ts';

/**
 * The first choice of a chat completion: the one with index 0, wherever it stands; where none says
 * so, the one that stands first.
 */
export function firstChoice(choices: unknown): Record<string, unknown> | undefined {
  const records = recordsOf(choices);
  return records.find(({ index }) => index === 0) ?? records[0];
}
