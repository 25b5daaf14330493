/**
 * Secrets that a server makes once and keeps in `settings`: sealed by AES-256-GCM where SECRETS_KEY
 * is set, so that who reads the database, or a backup, can sign nothing.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { StartFailure } from '../core/errors.ts';
import type { Builder } from './driver/client.ts';
import { readOrMakeSetting, writeSetting } from './settings.ts';

const mark = 'sealed:';
const ivBytes = 12;
const tagBytes = 16;

/**
 * The secret of a name; where it is missing, what `make` returns. Seals it with the first of
 * `sealKeys` (32 bytes each) where it is kept in clear or under another of them. Throws
 * StartFailure where none of them opens it.
 */
export async function readOrMakeSecret(
  db: Builder,
  { name, make, sealKeys }: { name: string; make: () => string; sealKeys: readonly Buffer[] },
): Promise<string> {
  const [sealKey] = sealKeys;
  const sealed = (secret: string) => (sealKey ? seal(sealKey, name, secret) : secret);
  const kept = await readOrMakeSetting(db, name, () => sealed(make()));
  const opened = kept.startsWith(mark) ? open(sealKeys, name, kept) : { secret: kept, by: null };
  if (sealKey && opened.by !== sealKey) await writeSetting(db, name, sealed(opened.secret));
  return opened.secret;
}

/** Bound to its name, so that one secret cannot be put in the place of another. */
function seal(key: Buffer, name: string, secret: string): string {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(name));
  const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
  return mark + Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64');
}

function open(keys: readonly Buffer[], name: string, text: string): { secret: string; by: Buffer } {
  const bytes = Buffer.from(text.slice(mark.length), 'base64');
  const [iv, tag] = [bytes.subarray(0, ivBytes), bytes.subarray(ivBytes, ivBytes + tagBytes)];
  for (const by of keys) {
    try {
      const decipher = createDecipheriv('aes-256-gcm', by, iv, { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(name)).setAuthTag(tag);
      const secret = decipher.update(bytes.subarray(ivBytes + tagBytes)).toString('utf8');
      decipher.final();
      return { secret, by };
    } catch {
      // Another key may fit.
    }
  }
  throw new StartFailure(
    keys.length === 0
      ? 'SECRETS_KEY must be set: the secrets in the database are sealed with it'
      : 'SECRETS_KEY must be the key that the secrets in the database are sealed with; during a change, the new one and then the old one, with a space between',
  );
}
