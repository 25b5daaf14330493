import { Tokenizer } from 'ai-tokenizer';
import * as cl100k from 'ai-tokenizer/encoding/cl100k_base';
import * as claude from 'ai-tokenizer/encoding/claude';
import * as o200k from 'ai-tokenizer/encoding/o200k_base';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTokenizer } from '../../src/counting/tokenizer.js';
import { readVocabulary } from '../../src/counting/vocabulary.js';
import { readDataset } from '../../src/demo/dataset.ts';
import { anyCharacter, runsOf } from '../support/random.ts';

const inTime = () => false;

const encodings = { o200k, cl100k, claude };

const texts = [
  '',
  ' ',
  'Hello, world! What happened to my card payment?',
  'Ich habe meine Überweisung noch nicht erhalten – woran liegt das?',
  'なぜ私のカードは拒否されたのですか？',
  '我的卡为什么被拒绝了？请尽快告诉我。',
  'لماذا تم رفض بطاقتي؟',
  'मेरा कार्ड अस्वीकार क्यों किया गया?',
  '{"id":42,"price":19.99,"tags":["a","b"],"nested":{"deep":null}}',
  '2026-11-30,4711,0.0001,-17,"a;b"\r\n2026-12-01,4712,,,\r\n',
  '   indented\n\n\n\ttabs\t\tand   trailing   ',
  '👩‍👩‍👧‍👦 🇩🇪 \ud800 broken',
  "it's we'll I'M THEY'RE <|endoftext|> <META>",
  'camelCaseNeverSplitLikeThis_1234567890',
];

it.each(Object.entries(encodings))('%s counts as ai-tokenizer does', async (name, encoding) => {
  const reference = new Tokenizer(encoding as never);
  const { count } = createTokenizer(readVocabulary(name));
  const { questions } = await readDataset(null);
  for (const text of [...texts, ...questions.map(({ content }) => content)]) {
    expect([text, count(text, inTime)]).toEqual([text, reference.encode(text, 'all').length]);
  }
  fc.assert(
    // It takes a text of less than ten characters as one token where it can, whatever the pattern.
    fc.property(fc.string({ unit: anyCharacter, minLength: 10, maxLength: 200 }), (text) => {
      // It takes what every object has for a token.
      fc.pre(!Object.getOwnPropertyNames(Object.prototype).some((own) => text.includes(own)));
      expect(count(text, inTime)).toBe(reference.encode(text, 'all').length);
    }),
    runsOf(300),
  );
});

it('cuts nothing but runs of more than 1,000 characters', () => {
  const { count } = createTokenizer(readVocabulary('o200k'));
  const sliced = (run: string, slices: number) => slices * count(run, inTime);

  expect(count('a'.repeat(3_000), inTime)).toBe(sliced('a'.repeat(1_000), 3));
  expect(count(' '.repeat(3_000), inTime)).toBe(sliced(' '.repeat(1_000), 3));
  const reference = new Tokenizer(o200k as never);
  const ordinary = `${'word '.repeat(2_000)}${'x'.repeat(999)} end`;
  expect(count(ordinary, inTime)).toBe(reference.encode(ordinary, 'all').length);
});

it('scales what it counted of a text when it gets late', () => {
  const { count } = createTokenizer(readVocabulary('o200k'));
  const text = 'ab'.repeat(100_000);
  let slices = 0;
  const late = count(text, () => {
    slices += 1;
    return slices > 20;
  });

  expect(Math.abs(late / count(text, inTime) - 1)).toBeLessThan(0.01);
});
