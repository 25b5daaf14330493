import { expect, it } from 'vitest';
import { createRecent } from '../../src/core/recent.ts';

it('forgets the entry unused longest', () => {
  const forgotten: string[] = [];
  const kept = createRecent<number>(2, { onForgotten: (key) => forgotten.push(key) });
  kept.set('a', 1);
  kept.set('b', 2);
  kept.get('a');
  kept.set('c', 3);

  expect(forgotten).toEqual(['b']);
  expect(['a', 'b', 'c'].map((key) => kept.get(key))).toEqual([1, undefined, 3]);
});

it('weighs entries, and an entry that is set again once', () => {
  const kept = createRecent<number>(4, { weightOf: (key) => key.length });
  kept.set('aa', 1);
  kept.set('aa', 2);
  kept.set('bb', 3);
  expect([kept.get('aa'), kept.get('bb')]).toEqual([2, 3]);

  kept.set('c', 4);
  expect([kept.get('aa'), kept.get('bb'), kept.get('c')]).toEqual([undefined, 3, 4]);
});
