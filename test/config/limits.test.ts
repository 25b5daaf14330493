import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { limitsFor, namesModel } from '../../src/core/limits.ts';

test('an entry of an owner replaces single values of the one for all others', () => {
  const { limits } = readConfig({
    LIMITS: JSON.stringify({
      acme: { activeBatches: 20, models: ['openai/gpt-4.1-mini', 'sandbox/*'] },
      '*': { activeBatches: 5, modelCalls: 32 },
    }),
  });

  expect(limitsFor(limits, 'acme')).toEqual({
    activeBatches: 20,
    itemsPerDay: null,
    storageBytes: null,
    requestsPerMinute: null,
    modelCalls: 32,
    models: ['openai/gpt-4.1-mini', 'sandbox/*'],
  });
  expect(limitsFor(limits, 'other')).toMatchObject({ activeBatches: 5, models: null });
  expect(limitsFor(readConfig({}).limits, 'acme')).toBeNull();
});

test('a * at the end of a model stands for any rest', () => {
  expect(namesModel(['sandbox/*'], 'sandbox/rules')).toBe(true);
  expect(namesModel(['openai/gpt-4.1'], 'openai/gpt-4.1-mini')).toBe(false);
  expect(namesModel(['*'], 'openai/gpt-4.1-mini')).toBe(true);
  expect(namesModel([], 'openai/gpt-4.1-mini')).toBe(false);
});

test.each([
  ['{"acme": 50}', 'LIMITS.acme must be an object'],
  ['{"acme": {"activeBatches": -1}}', 'LIMITS.acme.activeBatches must be at least 0'],
  ['{"acme": {"itemsPerDay": 1.5}}', 'LIMITS.acme.itemsPerDay must be a whole number'],
  ['{"acme": {"modelCalls": 0}}', 'LIMITS.acme.modelCalls must be at least 1'],
  ['{"acme": {"activeBatch": 1}}', 'LIMITS.acme must not have the setting activeBatch'],
  ['{"acme": {"models": ["a b"]}}', 'LIMITS.acme.models.0 must be provider/name'],
  ['{"acme": {"models": ["*/x"]}}', 'LIMITS.acme.models.0 must be provider/name'],
  ['acme: 50', 'LIMITS must be JSON'],
])('%s is refused at the start, by its place and not by its value', (LIMITS, message) => {
  expect(() => readConfig({ LIMITS })).toThrow(message);
});
