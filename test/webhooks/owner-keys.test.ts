import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { createOwnerKeys } from '../../src/webhooks/owner-keys.ts';
import { newWebhookSecret, parseWebhookSecret } from '../../src/webhooks/sign.ts';

const server = newWebhookSecret();

it('each owner has a secret of its own, which no other one signs with', () => {
  const { keysOf, secretOf } = createOwnerKeys(server);
  const acme = secretOf('acme', { isOpen: false });
  const made = createHmac('sha256', parseWebhookSecret(server)).update('webhook:acme');

  expect(acme).toBe(`whsec_${made.digest('base64')}`);
  expect(keysOf('acme')).toEqual([parseWebhookSecret(acme)]);
  expect(keysOf('other')).not.toContainEqual(parseWebhookSecret(acme));
  expect(keysOf('acme')).not.toContainEqual(parseWebhookSecret(server));
});

it('a server without keys signs with its own secret, which it tells nobody once it has keys', () => {
  const { keysOf, secretOf } = createOwnerKeys(server);

  expect(secretOf('local', { isOpen: true })).toBe(server);
  expect(keysOf('local')).toContainEqual(parseWebhookSecret(server));
  expect(secretOf('local', { isOpen: false })).not.toBe(server);
  expect(keysOf('local')).toContainEqual(parseWebhookSecret(secretOf('local', { isOpen: false })));
});

it('while the server’s secret is replaced, both sign', () => {
  const next = newWebhookSecret();
  const keys = createOwnerKeys(`${server} ${next}`).keysOf('acme');

  for (const secret of [server, next]) {
    const own = createOwnerKeys(secret).secretOf('acme', { isOpen: false });
    expect(keys).toContainEqual(parseWebhookSecret(own));
  }
});
