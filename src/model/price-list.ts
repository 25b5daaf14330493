/** The built-in price list: the table inside @pydantic/genai-prices. */
import {
  calcPrice,
  findProvider,
  type MatchLogic,
  type ModelInfo,
  type ModelPrice,
  type Provider,
} from '@pydantic/genai-prices';

/** USD; a tier holds for all tokens of a request with more input tokens than its start. */
export type Price = number | { base: number; tiers: readonly { start: number; price: number }[] };

/** USD per million tokens; absent where the list has none. */
export interface PriceEntry {
  input?: Price | undefined;
  cachedInput?: Price | undefined;
  cacheWrite?: Price | undefined;
  /** For writing for an hour. */
  cacheWriteLong?: Price | undefined;
  output?: Price | undefined;
  /** For a thousand requests, whatever their tokens. */
  requests?: Price | undefined;
}

export interface ListedModel {
  /** True where the entry is for this very model, and not for one whose name begins alike. */
  isExact: boolean;
  contextTokens: number | null;
  /** True where its prices depend on the day or the hour. */
  changes: boolean;
  /** The prices now; null where the list cannot tell them. */
  prices(): PriceEntry | null;
}

/**
 * Looks a model up; null where the list lacks it. A provider is found by the name it has in the
 * list (openai, groq, together, mistral…); a name that only resembles `openai` is some server of
 * the user's own.
 */
export function lookUpModel(provider: string, model: string): ListedModel | null {
  const found = findProvider({ providerId: provider });
  if (!found || (found.id === 'openai' && provider !== 'openai')) return null;
  const entry = entryOf(found, model);
  if (!entry) return null;
  const { context_window: context = null, prices } = entry.model;
  const changes = Array.isArray(prices);
  return {
    isExact: namesExactly(entry.model, model),
    contextTokens: context,
    changes,
    prices: () => pricesOf((changes ? entryOf(found, model) : entry)?.price),
  };
}

/**
 * The library is asked for entries alone: it throws on usage with cache writes for an hour where
 * those for five minutes are left out, and takes about 20 microseconds.
 */
function entryOf(provider: Provider, name: string): { model: ModelInfo; price: ModelPrice } | null {
  try {
    const found = calcPrice({}, name, { provider });
    return found && { model: found.model, price: found.model_price };
  } catch {
    // An entry that the library itself cannot use.
    return null;
  }
}

function pricesOf(price: ModelPrice | undefined): PriceEntry | null {
  return price
    ? {
        input: price.input_mtok,
        cachedInput: price.cache_read_mtok,
        cacheWrite: price.cache_write_mtok,
        cacheWriteLong: price.cache_write_1h_mtok,
        output: price.output_mtok,
        requests: price.requests_kcount,
      }
    : null;
}

/** The name, or the name without its date or `-latest`, is the entry's id or one of its others. */
function namesExactly({ id, match }: ModelInfo, name: string): boolean {
  const full = name.toLowerCase();
  const names = new Set([full, full.replace(/-(\d{8}|\d{4}-\d{2}-\d{2}|latest)$/, '')]);
  return [id, ...equalsOf(match)].some((known) => names.has(known.toLowerCase()));
}

function equalsOf(match: MatchLogic): string[] {
  if ('equals' in match) return [match.equals];
  return 'or' in match ? match.or.flatMap(equalsOf) : [];
}
