/** The variables of models and their providers. */
import { z } from 'zod';
import { integer, optionalInteger } from './kinds.ts';
import { prices } from './price-settings.ts';
import { httpUrl, providers } from './provider-settings.ts';
import { variable } from './variable.ts';

export const openaiBaseUrl = 'https://api.openai.com/v1';
export const anthropicBaseUrl = 'https://api.anthropic.com';

/** Asked by default, of the first configured provider: small, cheap, with structured output. */
export const defaultModels = {
  openai: 'openai/gpt-4.1-mini',
  anthropic: 'anthropic/claude-haiku-4-5',
  neither: 'sandbox/rules',
};

const limitOfOpenai = () =>
  variable(
    'Limit of each model of `openai`, for all processes together.',
    optionalInteger(1, 1_000_000_000),
    { otherwise: "as the answers' headers say" },
  );

/** The variables, each with its kind. */
export const modelVariables = {
  OPENAI_API_KEY: variable(
    'Key of OpenAI. This or `OPENAI_BASE_URL` enables `openai/…`.',
    z.string().min(1).optional(),
  ),
  OPENAI_BASE_URL: variable(
    'An OpenAI-compatible server. A local one needs no key.',
    httpUrl.optional(),
    { otherwise: openaiBaseUrl, values: '`https://…`' },
  ),
  OPENAI_REQUESTS_PER_MINUTE: limitOfOpenai(),
  OPENAI_TOKENS_PER_MINUTE: limitOfOpenai(),
  ANTHROPIC_API_KEY: variable(
    'Key of Anthropic. This or `ANTHROPIC_BASE_URL` enables `anthropic/…`, live and in batches.',
    z.string().min(1).optional(),
  ),
  ANTHROPIC_BASE_URL: variable("A server of Anthropic's API, without `/v1`.", httpUrl.optional(), {
    otherwise: anthropicBaseUrl,
    values: '`https://…`',
  }),
  PROVIDERS: variable('Further OpenAI-compatible servers, by name.', providers, {
    values: 'JSON',
    example:
      '{"groq": {"baseURL": "https://api.groq.com/openai/v1", "apiKeyEnv": "GROQ_API_KEY", "limits": {"requestsPerMinute": 500, "tokensPerMinute": 200000, "concurrency": 32}}}',
  }),
  DEFAULT_MODEL: variable(
    'Model that answers where options name none.',
    z
      .string()
      .regex(/^[^/\s]+\/\S+$/, 'is not provider/name, such as openai/gpt-4.1-mini')
      .optional(),
    {
      otherwise: `${defaultModels.openai}, else ${defaultModels.anthropic}, else ${defaultModels.neither}`,
      values: 'provider/name',
    },
  ),
  PRICES: variable('Prices and sizes of models, by `provider/name`.', prices, {
    values: 'JSON',
    example:
      '{"openai/gpt-6": {"input": 2, "cachedInput": 0.2, "cacheWrite": 2.5, "cacheWriteLong": 4, "output": 12, "batch": 0.5, "tiers": {"priority": 2}, "contextTokens": 400000}}',
  }),
  MODEL_TIMEOUT_MS: variable(
    'Milliseconds until one call to a model is given up.',
    integer(120_000, 100, 3_600_000),
  ),
  PROVIDER_BATCH_POLL_MS: variable(
    "Milliseconds between two looks at a provider's batch.",
    optionalInteger(50, 3_600_000),
    { otherwise: 'from 5000, growing to 60000' },
  ),
};
