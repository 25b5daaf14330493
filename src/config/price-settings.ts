/** The form of PRICES: prices and sizes of models, by provider/name. */
import { z } from 'zod';
import { jsonSetting } from './json-setting.ts';
import { nearestSetting } from './strange-variables.ts';
import { wholeNumber } from './text.ts';

const usd = z.number().min(0).max(1_000_000).optional();
/** Above 1 it is meant as a percentage. */
const share = z.number().min(0).max(1).optional();
const tokens = z.int(wholeNumber).min(1).max(2_147_483_647).optional();

/** USD per million tokens, but for the last four. */
const shape = {
  input: usd,
  cachedInput: usd,
  cacheWrite: usd,
  /** For writing for an hour. */
  cacheWriteLong: usd,
  output: usd,
  /** Share of these prices in a provider's batch API. */
  batch: share,
  /** Factors by the service tier that an answer names. */
  tiers: z.record(z.string().min(1), z.number().min(0).max(1_000)).optional(),
  contextTokens: tokens,
  maxOutputTokens: tokens,
};

const entry = z.looseObject(shape).superRefine((given, context) => {
  const others = Object.keys(given).filter((key) => !Object.hasOwn(shape, key));
  for (const key of others) {
    context.addIssue({ code: 'custom', path: [key], message: withoutSetting(key) });
  }
  const { input, output } = given;
  if (others.length > 0 || (input === undefined) === (output === undefined)) return;
  const missing = input === undefined ? 'input' : 'output';
  const other = input === undefined ? 'output' : 'input';
  context.addIssue({
    code: 'custom',
    path: [missing],
    message: `must stand beside ${other}, or both must be absent`,
  });
});

const modelId = z
  .string()
  .regex(/^[^/\s]+\/\S+$/, 'names are provider/name, such as openai/gpt-4.1-mini');

/** The fault of a key that is not a setting: its name stands in front. */
function withoutSetting(key: string): string {
  const known = Object.keys(shape);
  const near = nearestSetting(key, known);
  return `must be absent; ${near ? `did you mean ${near}?` : `settings are ${known.join(', ')}`}`;
}

/** The value of PRICES. */
export const prices = jsonSetting('{"provider/name": {"input": 2, "output": 12}}').pipe(
  z.record(modelId, entry),
);
