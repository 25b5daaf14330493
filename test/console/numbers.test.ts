/** Numbers as the console words them. */
import { expect, it, vi } from 'vitest';

vi.stubGlobal('localStorage', { getItem: () => null }); // a browser keeps the choice of times there
const { bytes } = await import('../../src/console/words/numbers.ts');

it('tells sizes in the units of the documents, and no limit as more than it is', () => {
  expect([0, 1_023, 1_024, 239_961, 2_846_679].map(bytes)).toEqual([
    '0 B',
    '1,023 B',
    '1 kB',
    '234 kB',
    '2.7 MB',
  ]);
  expect(bytes(104_857_600)).toBe('100 MB');
});
