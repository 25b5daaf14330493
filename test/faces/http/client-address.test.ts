import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { clientAddress, clientScheme, networkOf } from '../../../src/faces/http/client-address.ts';

const isProxy = (address: string) => address.startsWith('10.');
const from = (remoteAddress: string, headers: Record<string, string> = {}) =>
  ({ socket: { remoteAddress }, headers }) as unknown as IncomingMessage;

test.each([
  ['without a proxy the header is what anybody writes', '9.9.9.9', '1.1.1.1', '9.9.9.9'],
  ['the last that is no proxy counts', '10.0.0.1', '6.6.6.6, 1.1.1.1, 10.0.0.2', '1.1.1.1'],
  ['an IPv4 address in IPv6 is IPv4', '::ffff:10.0.0.1', '1.1.1.1', '1.1.1.1'],
  ['ports and brackets are left out', '10.0.0.1', '[2001:db8::1]:443', '2001:db8::1'],
  ['a port of IPv4 is left out', '10.0.0.1', '1.1.1.1:443', '1.1.1.1'],
  ['a proxy that tells nothing is the client', '10.0.0.1', '', '10.0.0.1'],
  ['what is no address ends the list', '10.0.0.1', '1.1.1.1, secret', '10.0.0.1'],
])('%s', (_what, connection, forwarded, expected) => {
  const request = from(connection, { 'x-forwarded-for': forwarded });

  expect(clientAddress(request, isProxy)).toBe(expected);
});

test('without trusted proxies no header is believed', () => {
  const request = from('10.0.0.1', { 'x-forwarded-for': '1.1.1.1', 'x-forwarded-proto': 'https' });

  expect(clientAddress(request, null)).toBe('10.0.0.1');
  expect(clientScheme(request, null)).toBe('http');
});

test('a trusted proxy says by which scheme it was reached', () => {
  const schemeOf = (remote: string, scheme: string) =>
    clientScheme(from(remote, { 'x-forwarded-proto': scheme }), isProxy);

  expect(schemeOf('10.0.0.1', 'HTTPS')).toBe('https');
  expect(schemeOf('10.0.0.1', 'https, http')).toBe('https');
  expect(schemeOf('10.0.0.1', 'javascript')).toBe('http');
  expect(schemeOf('9.9.9.9', 'https')).toBe('http');
});

test('IPv6 counts by networks of 64 bits, IPv4 by addresses', () => {
  expect(networkOf('1.2.3.4')).toBe('1.2.3.4');
  expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
  expect(networkOf('2001:db8::6')).toBe('2001:db8:0:0::/64');
  expect(networkOf('::1')).toBe('0:0:0:0::/64');
  expect(networkOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
});
