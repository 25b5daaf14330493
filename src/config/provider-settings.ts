/** The form of PROVIDERS: further servers, by name. */
import { z } from 'zod';
import { jsonSetting } from './json-setting.ts';
import { wholeNumber, withoutOthers } from './text.ts';

export const httpUrl = z
  .url({
    protocol: /^https?$/,
    error: ({ input }) =>
      input === undefined
        ? 'is required: an address that begins with http:// or https://'
        : 'must be an address that begins with http:// or https://',
  })
  .transform((url) => url.replace(/\/+$/, ''));

const perMinute = z.int(wholeNumber).min(1).max(1_000_000_000).optional();

/** Per minute for all processes together; concurrency for each. */
const limitShape = {
  requestsPerMinute: perMinute,
  tokensPerMinute: perMinute,
  concurrency: z.int(wholeNumber).min(1).max(10_000).optional(),
};
const modelLimits = z.strictObject(limitShape, withoutOthers(Object.keys(limitShape)));
const providerLimitShape = {
  ...limitShape,
  /** Limits of single models, where these differ. */
  models: z.record(z.string(), modelLimits).default({}),
};

const providerShape = {
  baseURL: httpUrl,
  /** The name of the variable that holds the key; the key itself never stands in PROVIDERS. */
  apiKeyEnv: z.string().min(1).optional(),
  headers: z.record(z.string(), z.string()).default({}),
  query: z.record(z.string(), z.string()).default({}),
  /** Limits of each model. */
  limits: z
    .strictObject(providerLimitShape, withoutOthers(Object.keys(providerLimitShape)))
    .optional(),
  models: z.array(z.string().min(1)).default([]),
  /** True where it has a batch API as OpenAI's; unknown when absent. */
  batches: z.boolean().optional(),
};
const providerEntry = z.strictObject(providerShape, withoutOthers(Object.keys(providerShape)));

const providerName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, 'names are lower-case letters, digits, - and _')
  .refine(
    (name) => !['sandbox', 'openai', 'anthropic'].includes(name),
    'is taken: sandbox, openai and anthropic are built in',
  );

/** The value of PROVIDERS. */
export const providers = jsonSetting('{"name": {"baseURL": "http://…"}}').pipe(
  z.record(providerName, providerEntry),
);
