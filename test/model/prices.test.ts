import { readFileSync } from 'node:fs';
import { calcPrice, findProvider } from '@pydantic/genai-prices';
import { describe, expect, test } from 'vitest';
import { noTokens, type Tokens } from '../../src/core/usage.ts';
import { priceList } from '../../src/core/version.ts';
import { anthropicModels, openAiModels } from '../../src/model/known-models.ts';
import { createPrices, type OwnPrices } from '../../src/model/prices.ts';

const tokens = (given: Partial<Tokens>): Tokens => ({ ...noTokens, ...given });
const mixed = tokens({ inputTokens: 1_000, cachedInputTokens: 400, outputTokens: 100 });

/** USD of `mixed` at 2 in, 0.5 from the cache and 10 out. */
const plain = (600 * 2 + 400 * 0.5 + 100 * 10) / 1e6;
const own = { input: 2, cachedInput: 0.5, output: 10 };

describe('prices of the list', () => {
  const usages = [
    tokens({ inputTokens: 1_000, outputTokens: 100 }),
    tokens({ inputTokens: 1_000, cachedInputTokens: 900 }),
    tokens({ inputTokens: 1_000, cacheWriteTokens: 700, cacheWriteLongTokens: 200 }),
    tokens({ inputTokens: 900_000, cachedInputTokens: 1_000, outputTokens: 9_000 }),
    tokens({ inputTokens: 300_000, cacheWriteTokens: 250_000, cacheWriteLongTokens: 250_000 }),
  ];
  const providers = ['openai', 'anthropic', 'groq', 'together', 'mistral', 'deepseek', 'google'];
  const models = providers.flatMap((provider) =>
    (findProvider({ providerId: provider })?.models ?? []).map(({ id }) => [provider, id] as const),
  );

  test('agree with the library for every model, at every tier', () => {
    expect(models.length).toBeGreaterThan(300);
    for (const [provider, model] of models) {
      const { source, live } = createPrices(provider, model);
      if (source === null) continue;
      for (const usage of usages) {
        const expected = calcPrice(
          {
            input_tokens: usage.inputTokens,
            cache_read_tokens: usage.cachedInputTokens,
            cache_write_tokens: usage.cacheWriteTokens,
            cache_write_1h_tokens: usage.cacheWriteLongTokens,
            output_tokens: usage.outputTokens,
          },
          model,
          { providerId: provider },
        );
        expect(live.costUsd(usage), `${provider}/${model}`).toBeCloseTo(
          expected?.total_price ?? -1,
          9,
        );
      }
    }
  });

  test.each([
    ...openAiModels.map((model) => ['openai', model]),
    ...anthropicModels.map((model) => ['anthropic', model]),
    ['openai', 'gpt-5.4'],
    ['openai', 'gpt-5.6'],
    ['openai', 'gpt-4.1-mini-2025-04-14'],
    ['groq', 'llama-3.3-70b-versatile'],
    ['openrouter', 'openai/gpt-4.1-mini'],
    ['anthropic', 'claude-haiku-4-5-20251001'],
    ['anthropic', 'claude-haiku-4-5-latest'],
  ])('have an entry for %s/%s itself', (provider, model) => {
    expect(createPrices(provider, model).source).toBe('LIST');
  });

  test.each([
    ['anthropic', 'claude-haiku-4-5-fast'],
    ['anthropic', 'claude-sonnet-5-5'],
  ])('have another entry for %s/%s, named alike', (provider, model) => {
    expect(createPrices(provider, model).source).toBe('LIST_SIMILAR');
  });

  test.each([
    ['sandbox', 'rules'],
    ['openai', 'no-such-model'],
    ['my-openai', 'gpt-4.1-mini'],
    ['ollama', 'llama3'],
  ])('of %s/%s are unknown', (provider, model) => {
    const prices = createPrices(provider, model);

    expect(prices.live.costUsd(mixed)).toBeNull();
    expect(prices.batch.costUsd(mixed)).toBeNull();
    expect(prices.live.savedUsd(mixed)).toBeNull();
    expect(prices).toMatchObject({
      source: null,
      inputPrice: null,
      cachedInputPrice: null,
      cacheWritePrice: null,
      outputPrice: null,
    });
  });

  test('are those of the lowest tier, and null where one has none of its own', () => {
    expect(createPrices('anthropic', 'claude-sonnet-4-5')).toMatchObject({
      inputPrice: 3,
      cachedInputPrice: 0.3,
      cacheWritePrice: 3.75,
      outputPrice: 15,
      contextTokens: 200_000,
    });
    expect(createPrices('openai', 'gpt-4.1-mini')).toMatchObject({
      cachedInputPrice: 0.1,
      cacheWritePrice: null,
    });
  });

  test('of a batch are half of the live ones', () => {
    const { live, batch } = createPrices('openai', 'gpt-4.1-mini');

    expect(live.costUsd(mixed)).toBeGreaterThan(0);
    expect(batch.costUsd(mixed)).toBeCloseTo((live.costUsd(mixed) ?? -1) / 2, 12);
  });

  test('are those of the package that is installed', () => {
    const lock = JSON.parse(
      readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'),
    ) as { packages: Record<string, { version: string }> };

    expect(lock.packages['node_modules/@pydantic/genai-prices']?.version).toBe(priceList.version);
  });
});

describe('the service tier of an answer', () => {
  const factors = (provider: string, tier: string | null, more: OwnPrices = {}) => {
    const { live, batch } = createPrices(provider, 'some-model', { ...own, ...more });
    const at = { ...mixed, tier };
    return [live.costUsd(at), batch.costUsd(at)].map((cost) => cost && cost / plain);
  };

  test.each([
    ['openai', null, [1, 0.5]],
    ['openai', 'default', [1, 0.5]],
    ['anthropic', 'standard', [1, 0.5]],
    ['openai', 'auto', [1, 0.5]],
    ['groq', 'on_demand', [1, 0.5]],
    ['anthropic', 'batch', [1, 0.5]],
    ['openai', 'flex', [0.5, 0.5]],
    ['groq', 'flex', [1, 0.5]],
    ['azure', 'flex', [null, null]],
    ['openai', 'priority', [null, null]],
    ['openai', 'scale', [null, null]],
    ['openai', 'constructor', [null, null]],
  ] as const)('of %s, %s, has its price', (provider, tier, [live, batch]) => {
    const [found, inBatch] = factors(provider, tier);

    if (live === null) expect([found, inBatch]).toEqual([null, null]);
    else {
      expect(found).toBeCloseTo(live, 9);
      expect(inBatch).toBeCloseTo(batch, 9);
    }
  });

  test('has the factor that PRICES gives it', () => {
    const [live, batch] = factors('openai', 'priority', { tiers: { priority: 2 }, batch: 0.4 });

    expect(live).toBeCloseTo(2, 9);
    expect(batch).toBeCloseTo(0.8, 9);
  });

  test('flex costs what the batch API does', () => {
    expect(factors('openai', 'flex', { batch: 0.4 })[0]).toBeCloseTo(0.4, 9);
  });
});

describe('prices of PRICES', () => {
  test('stand before those of the list, which fill the gaps', () => {
    const prices = createPrices('openai', 'gpt-4.1-mini', { input: 1, output: 3 });

    expect(prices).toMatchObject({
      source: 'CONFIGURED',
      inputPrice: 1,
      cachedInputPrice: 0.1,
      outputPrice: 3,
      contextTokens: 1_000_000,
      maxOutputTokens: null,
    });
    expect(prices.live.costUsd(mixed)).toBeCloseTo((600 + 400 * 0.1 + 100 * 3) / 1e6, 12);
  });

  test('what has none costs what is next to it', () => {
    const cost = (more: OwnPrices, given: Partial<Tokens>) =>
      createPrices('mine', 'm', { input: 2, output: 10, ...more }).live.costUsd(
        tokens({ inputTokens: 1_000_000, ...given }),
      );
    const long = { cacheWriteTokens: 1_000_000, cacheWriteLongTokens: 1_000_000 };

    expect(cost({}, { cachedInputTokens: 1_000_000 })).toBe(2);
    expect(cost({}, { cacheWriteTokens: 1_000_000 })).toBe(2);
    expect(cost({ cacheWrite: 3 }, long)).toBe(3);
    expect(cost({ cacheWrite: 3, cacheWriteLong: 4 }, long)).toBe(4);
  });

  test('alone are not enough for a model that the list lacks', () => {
    const prices = createPrices('mine', 'm', { batch: 0.4, contextTokens: 8_000 });

    expect(prices).toMatchObject({ source: null, inputPrice: null, contextTokens: 8_000 });
    expect(prices.live.costUsd(mixed)).toBeNull();
  });

  test('tell what the prompt cache saved, also where that is less than nothing', () => {
    const { live, batch } = createPrices('mine', 'm', {
      ...own,
      cacheWrite: 2.5,
      cacheWriteLong: 4,
    });
    const saved = (400 * 1.5 - 100 * 0.5 - 200 * 2) / 1e6;
    const counts = { ...mixed, cacheWriteTokens: 300, cacheWriteLongTokens: 200 };

    expect(live.savedUsd(counts)).toBeCloseTo(saved, 12);
    expect(batch.savedUsd(counts)).toBeCloseTo(saved / 2, 12);
    expect(live.savedUsd({ ...counts, cachedInputTokens: 0 })).toBeLessThan(0);
    expect(live.savedUsd(tokens({ inputTokens: 5 }))).toBe(0);
  });
});
