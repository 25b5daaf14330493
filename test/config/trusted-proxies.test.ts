import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';

const isProxy = (TRUSTED_PROXIES: string, address: string) =>
  readConfig({ TRUSTED_PROXIES }).trustedProxies?.(address) ?? null;

test('addresses and networks are proxies, of both families', () => {
  const proxies = '10.0.0.0/8, 192.168.1.7,fd00::/8,::1';

  expect(isProxy(proxies, '10.200.3.4')).toBe(true);
  expect(isProxy(proxies, '11.0.0.1')).toBe(false);
  expect(isProxy(proxies, '192.168.1.7')).toBe(true);
  expect(isProxy(proxies, 'fd12::1')).toBe(true);
  expect(isProxy(proxies, '::1')).toBe(true);
  expect(isProxy(proxies, 'unknown')).toBe(false);
  expect(isProxy('', '10.0.0.1')).toBeNull();
});

test.each([
  ['10.0.0.0/33', 1],
  ['::1,fd00::/129', 2],
  ['10.0.0/8', 1],
  ['10.0.0.0/8/8', 1],
  ['proxy.example', 1],
])('%s is refused by its entry', (TRUSTED_PROXIES, entry) => {
  expect(() => readConfig({ TRUSTED_PROXIES })).toThrow(
    `TRUSTED_PROXIES: entry ${entry} must be an address or a network`,
  );
});
