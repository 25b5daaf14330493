import type { RateLimits } from './limits/rates.ts';
import type { OwnPrices } from './prices.ts';
import type { Dialect } from './request.ts';

/** Where a provider is and how to speak to it. */
export interface ProviderConfig {
  name: string;
  /** Which API it has: OpenAI's or one like it (when absent), or Anthropic's. */
  protocol?: Dialect | undefined;
  baseUrl: string;
  apiKey: string | null;
  headers: Record<string, string>;
  query: Record<string, string>;
  /** Limits of each of its models. */
  limits?: ModelLimits | undefined;
  /** Limits of single models by name, in place of the same limit in `limits`. */
  modelLimits?: Readonly<Record<string, ModelLimits>> | undefined;
  /** Names to list in `Query.service`; any other name is passed on to the provider as it is. */
  models: readonly string[];
  /** Prices of single models by name, in place of the built-in list's. */
  prices?: Readonly<Record<string, OwnPrices>> | undefined;
  /** True where only the listed models exist (the sandbox). */
  closed: boolean;
  /** True for OpenAI's batch API. When absent, OpenAI's own server has one, others are tried. */
  batches?: boolean | undefined;
}

interface ModelLimits extends RateLimits {
  /** Calls at once in one process; the worker's concurrency when absent. */
  concurrency?: number | undefined;
}
