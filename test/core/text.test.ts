import { expect, it } from 'vitest';
import { replaceUnstorable, textProblem } from '../../src/core/text.ts';

it.each([
  ['a\0b', 'must not contain a NUL character (U+0000)', 'a\uFFFDb'],
  ['a\ud83db', 'must not contain half of a surrogate pair', 'a\uFFFDb'],
  ['\ude00\ud83d', 'must not contain half of a surrogate pair', '\uFFFD\uFFFD'],
  ['a😀b', null, 'a😀b'],
])('%j', (text, problem, stored) => {
  expect(textProblem(text)).toBe(problem);
  expect(replaceUnstorable(text)).toBe(stored);
});
