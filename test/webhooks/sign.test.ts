import { createHmac, randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import {
  newWebhookSecret,
  parseWebhookSecret,
  parseWebhookSecrets,
  signatureHeaders,
} from '../../src/webhooks/sign.ts';

const body = JSON.stringify({
  type: 'batch.completed',
  data: { name: 'Überschrift – 東京 🗼 \u2028 "q"' },
});
const id = 'msg_2KWPBgLlAfxdpx2AI54pPJ85f4W';

function headersAt(timestamp: Date, ...secrets: string[]): Record<string, string> {
  return signatureHeaders({ id, timestamp, body, keys: secrets.map(parseWebhookSecret) });
}

describe('signatures', () => {
  it('equal the published vector of the standard', () => {
    const headers = signatureHeaders({
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestamp: new Date(1_614_265_330_000),
      body: '{"test": 2432232314}',
      keys: [parseWebhookSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')],
    });

    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it('of a Unicode body are verified by the standardwebhooks package', () => {
    const secret = newWebhookSecret();

    const verified = new Webhook(secret).verify(body, headersAt(new Date(), secret));

    expect(verified).toEqual(JSON.parse(body));
  });

  it('fail for one changed byte of body, id or time, and for another secret', () => {
    const secret = newWebhookSecret();
    const receiver = new Webhook(secret);
    const headers = headersAt(new Date(), secret);
    const later = String(Number(headers['webhook-timestamp']) + 1);

    expect(() => receiver.verify(body.replace('東', '杰'), headers)).toThrow('No matching');
    expect(() => receiver.verify(`${body} `, headers)).toThrow('No matching');
    expect(() => receiver.verify(body, { ...headers, 'webhook-id': `${id}x` })).toThrow();
    expect(() => receiver.verify(body, { ...headers, 'webhook-timestamp': later })).toThrow();
    expect(() => new Webhook(newWebhookSecret()).verify(body, headers)).toThrow('No matching');
  });

  it.each([
    [-295, true],
    [-302, false],
    [295, true],
    [302, false],
  ])('%i s off the receiver’s clock: accepted %s', (offset, accepted) => {
    const secret = newWebhookSecret();
    const headers = headersAt(new Date(Date.now() + offset * 1_000), secret);
    const verify = () => new Webhook(secret).verify(body, headers);

    if (accepted) expect(verify()).toBeTruthy();
    else expect(verify).toThrow('timestamp too');
  });

  it('of an old and a new secret are accepted by holders of either', () => {
    const [old, fresh] = [newWebhookSecret(), newWebhookSecret()];
    const headers = headersAt(new Date(), old, fresh);

    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2);
    expect(new Webhook(old).verify(body, headers)).toBeTruthy();
    expect(new Webhook(fresh).verify(body, headers)).toBeTruthy();
    expect(() => new Webhook(newWebhookSecret()).verify(body, headers)).toThrow('No matching');
  });
});

describe('secrets', () => {
  it.each([24, 25, 26, 64])('of %i bytes are taken whole, padded or not', (length) => {
    const key = randomBytes(length);
    const encoded = key.toString('base64');

    expect(parseWebhookSecret(`whsec_${encoded}`)).toEqual(key);
    expect(parseWebhookSecret(`whsec_${encoded.replace(/=+$/, '')}`)).toEqual(key);
    expect(createHmac('sha256', parseWebhookSecret(newWebhookSecret()))).toBeTruthy();
  });

  it.each([
    ['', ''],
    ['without the prefix', randomBytes(32).toString('base64')],
    ['of 23 bytes', `whsec_${randomBytes(23).toString('base64')}`],
    ['of 65 bytes', `whsec_${randomBytes(65).toString('base64')}`],
    [
      'with a character that is not base64',
      `whsec_!${randomBytes(32).toString('base64').slice(1)}`,
    ],
    ['in the URL alphabet', `whsec_${'-_'.repeat(21)}`],
    ['in hexadecimal, with a stray end', `whsec_${'a'.repeat(45)}`],
  ])('%s are refused, saying what would be right and not the secret', (_what, secret) => {
    expect(() => parseWebhookSecret(secret)).toThrow(
      /^The webhook secret is not whsec_ followed by the base64 of 24 to 64 bytes(; it has \d+ bytes)?$/,
    );
  });

  it('come several in one text, while one is being replaced', () => {
    const secrets = [newWebhookSecret(), newWebhookSecret()];

    expect(parseWebhookSecrets(` ${secrets.join('  ')}\n`)).toEqual(
      secrets.map(parseWebhookSecret),
    );
  });
});
