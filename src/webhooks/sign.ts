/**
 * Signatures of Standard Webhooks (https://www.standardwebhooks.com, "Signature scheme",
 * symmetric): receivers verify them with a library of that name in their language, or with six
 * lines of HMAC.
 */
import { createHmac, randomBytes } from 'node:crypto';

const prefix = 'whsec_';
/** The standard's bounds, in bytes. */
const minSecretBytes = 24;
const maxSecretBytes = 64;
const newSecretBytes = 32;

/** A secret as it is configured and given to receivers: `whsec_` and base64. */
export function newWebhookSecret(): string {
  return prefix + randomBytes(newSecretBytes).toString('base64');
}

/** The key in `whsec_<base64 of 24 to 64 bytes>`. Throws an Error that never quotes the secret. */
export function parseWebhookSecret(secret: string): Buffer {
  const problem = `is not ${prefix} followed by the base64 of ${minSecretBytes} to ${maxSecretBytes} bytes`;
  const encoded = secret.startsWith(prefix) ? secret.slice(prefix.length) : '';
  const key = Buffer.from(encoded, 'base64');
  // Buffer.from skips what is not base64; a key that is not the whole text would verify nowhere.
  if (unpadded(key.toString('base64')) !== unpadded(encoded)) {
    throw new Error(`The webhook secret ${problem}`);
  }
  if (key.length < minSecretBytes || key.length > maxSecretBytes) {
    throw new Error(`The webhook secret ${problem}; it has ${key.length} bytes`);
  }
  return key;
}

/** The secret of one owner, made of a secret of the server. */
export function ownerSecret(key: Buffer, owner: string): string {
  return prefix + createHmac('sha256', key).update(`webhook:${owner}`).digest('base64');
}

/** The keys of one secret or of several by white space. Throws as parseWebhookSecret does. */
export function parseWebhookSecrets(secrets: string): Buffer[] {
  return secrets.trim().split(/\s+/).map(parseWebhookSecret);
}

/**
 * The three headers of an attempt. `timestamp` is its own time (receivers refuse one that is five
 * minutes off), while `id` and `body` are the same for every attempt; a signature for each key, so
 * that a receiver may hold any one of them.
 */
export function signatureHeaders({
  id,
  timestamp,
  body,
  keys,
}: {
  id: string;
  timestamp: Date;
  body: string;
  keys: readonly Buffer[];
}): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> {
  const seconds = Math.floor(timestamp.getTime() / 1_000);
  const signed = `${id}.${seconds}.${body}`;
  return {
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': keys
      .map((key) => `v1,${createHmac('sha256', key).update(signed).digest('base64')}`)
      .join(' '),
  };
}

function unpadded(base64: string): string {
  return base64.replace(/={1,2}$/, '');
}
