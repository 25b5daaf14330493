import { expect, it } from 'vitest';
import { withPlainHost } from '../../src/app/webhook-url.ts';
import { checkWebhookUrl } from '../../src/webhooks/address.ts';

const spellings = [
  'https://example.com',
  'https://EXAMPLE.com',
  'https://ex%61mple.com',
  'https://example.com:',
  'https://example.com:443',
  'https://example.com:0443',
  'https://@example.com',
  'https://:@example.com:',
  'https:example.com',
  'https:////example.com',
  'HTTPS://example.com',
  'https://ｅｘａｍｐｌｅ.com',
  'https://exam\u00adple.com',
  'https://example。com',
];
const rests = ['', '/', '/Hook?to=a@b:443#%61', '?a=//b', '//double/./up'];

it.each(spellings)('%s has the one host that it calls, and keeps the rest', (spelling) => {
  for (const rest of rests) {
    const given = spelling + rest;
    const plain = withPlainHost(given);

    expect(checkWebhookUrl(given, { allowPrivate: false })).toBeNull();
    expect(plain).toBe(`https://example.com${rest}`);
    expect(new URL(plain).href).toBe(new URL(given).href);
  }
});

it.each([
  ['https://example.com:08443/a', 'https://example.com:8443/a'],
  ['https://bücher.example/a', 'https://xn--bcher-kva.example/a'],
  ['http://[0:0::1]:80/a', 'http://[::1]/a'],
  ['http://0x7f.1/a', 'http://127.0.0.1/a'],
])('%s is stored as %s', (given, plain) => {
  expect(withPlainHost(given)).toBe(plain);
});
