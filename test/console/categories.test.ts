/** Categories as people write them into the form. */
import { expect, it } from 'vitest';
import { parseCategories, writeCategories } from '../../src/console/pages/new-batch/categories.ts';

it.each([
  ['praise, complaint', ['praise', 'complaint']],
  ['\npraise\ncomplaint\n', ['praise', 'complaint']],
  ['praise, complaint\n', ['praise', 'complaint']],
  ['praise\tcomplaint', ['praise', 'complaint']],
  ['late, or lost\nbroken', ['late, or lost', 'broken']],
  ['"Billing: refunds", "a, b", other', ['Billing: refunds', 'a, b', 'other']],
  ['"two ""words"""\nother', ['two "words"', 'other']],
  ['5" pipe\n6" pipe', ['5" pipe', '6" pipe']],
  ['"5\n6', ['"5', '6']],
  [',a,,b,', ['a', 'b']],
])('%j is %j', (text, names) => {
  expect(parseCategories(text).names).toEqual(names);
});

it('takes what stands behind a colon as the meaning', () => {
  const { names, descriptions } = parseCategories('good: glad, or calm\n"a: b": angry');

  expect(names).toEqual(['good', 'a: b']);
  expect(descriptions).toEqual({ good: 'glad, or calm', 'a: b': 'angry' });
});

it('reads back what it wrote, whatever is in a name', () => {
  const names = ['plain', 'Billing: refunds', 'a, b', 'say "hi"', '"quoted"', 'constructor'];
  const meanings = { 'Billing: refunds': 'money back', plain: 'as it is' };
  const read = parseCategories(writeCategories(names, meanings));

  expect(read.names).toEqual(names);
  expect(read.descriptions).toEqual(meanings);
});

it('says how many there must be', () => {
  expect(parseCategories('one').problem).toBe('Give at least two categories');
  expect(parseCategories(Array.from({ length: 501 }, (_, n) => `c${n}`).join('\n')).problem).toBe(
    'Give at most 500 categories; these are 501',
  );
});
