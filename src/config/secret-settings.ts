/** The variables of what is sealed, and of what callers may set of a request themselves. */
import { z } from 'zod';

const keyBytes = 32;
const fieldName = /^[A-Za-z_][\w.-]{0,99}$/;

/** The value of SECRETS_KEY: one key, or during a change the new one and those before. */
export const secretsKey = z
  .string()
  .default('')
  .transform((text, context) => {
    const keys = text.split(/\s+/).filter(Boolean);
    const parsed = keys.map((key) => Buffer.from(key, 'base64'));
    if (parsed.some((key, at) => key.length !== keyBytes || !isBase64(keys[at] ?? '', key))) {
      context.addIssue({
        code: 'custom',
        message: `must be ${keyBytes} bytes in base64, as openssl rand -base64 ${keyBytes} prints`,
      });
    }
    return parsed;
  });

function isBase64(text: string, bytes: Buffer): boolean {
  return bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '');
}

/** The value of EXTRA_BODY: fields that extraBody may set; null: all. */
export const extraBody = z
  .string()
  .default('allow')
  .transform((text, context): ReadonlySet<string> | null => {
    if (text === 'allow') return null;
    const names = text.split(',').map((name) => name.trim());
    if (!names.every((name) => fieldName.test(name))) {
      context.addIssue({
        code: 'custom',
        message: 'must be allow, or names of fields with commas between them',
      });
    }
    return new Set(names);
  });
