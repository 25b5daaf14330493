/** What a batch is doing, in the words of the list and of its page. */
import { afterAll, expect, it, vi } from 'vitest';
import type { StateBatch } from '../../src/console/data/batch-fields.ts';

// The words are those of a browser, which keeps how times are shown.
vi.stubGlobal('localStorage', { getItem: () => null });
afterAll(() => {
  vi.unstubAllGlobals();
});
const { stateOf } = await import('../../src/console/words/batch-state.ts');

const times = {} as Parameters<typeof stateOf>[1]['times'];
const batch: StateBatch = {
  id: 'batch_1',
  status: 'COMPLETED',
  execution: 'LIVE',
  model: 'openai/gpt-4.1-mini',
  counts: {
    total: 10,
    pending: 0,
    processing: 0,
    succeeded: 6,
    failed: 2,
    cancelled: 1,
    expired: 1,
  },
  createdAt: '2026-11-30T10:00:00Z',
  startedAt: '2026-11-30T10:00:00Z',
  completedAt: '2026-11-30T10:00:10Z',
  expiresAt: '2026-12-01T10:00:00Z',
  contentDeletedAt: null,
  error: null,
  errorSummary: [{ code: 'REFUSED', count: 2, message: 'no' }],
  waiting: null,
  pause: null,
  previewItems: null,
  maxCostUsd: null,
  usage: { costUsd: null, requests: 10 },
  itemsPerSecond: 1,
  estimatedCompletionAt: null,
  rescuedAt: null,
  providerBatches: [],
};

it.each([
  [2, 'failed: the model declined'],
  [3, 'most that failed: the model declined'],
  [4, 'some that failed: the model declined'],
])('says of %i failed rows, two of them declined: %s', (failed, sentence) => {
  const counts = { ...batch.counts, failed };

  expect(stateOf({ ...batch, counts, itemsPerSecond: null }, { times, workers: 1 }).sentence).toBe(
    sentence,
  );
});

it.each([
  ['COMPLETED', 'Retry 2'],
  ['FAILED', 'Retry'],
  ['CANCELLED', 'Go on'],
  ['EXPIRED', 'Go on'],
] as const)('offers nothing for a %s batch whose rows are deleted', (status, label) => {
  const known = { times, workers: 1 };
  const deleted = { ...batch, status, contentDeletedAt: '2026-12-01T00:00:00Z' };

  expect(stateOf({ ...batch, status }, known).button?.label).toBe(label);
  expect(stateOf(deleted, known).button).toBeNull();
});
