import { expect, it } from 'vitest';
import { quote } from '../../src/model/redact.ts';

const key = 'a7Qm-x93LfTz.Kd20vWb81RsYp';

it.each([
  ['whole', `Bad key ${key}`],
  ['without its beginning', `Bad key ${key.slice(4)}`],
  ['without its end', `Bad key ${key.slice(0, 12)}`],
  ['eight characters of its middle', `Bad key …${key.slice(6, 14)}…`],
  ['both ends', `Bad key ${key.slice(0, 8)}***${key.slice(-8)}`],
])('a key that a provider repeats %s is taken out', (_what, message) => {
  const quoted = quote(message, { secrets: [key] });

  expect(quoted).toContain('[redacted]');
  for (let at = 0; at + 8 <= key.length; at += 1) {
    expect(quoted).not.toContain(key.slice(at, at + 8));
  }
});

it('what is shared with an address among the headers by chance stays', () => {
  const message = 'See https://provider.example/errors for more';

  expect(quote(message, { secrets: ['https://app2.example'] })).toBe(message);
});
