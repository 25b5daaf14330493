import { createHash } from 'node:crypto';
import { isRecord } from '../core/json.ts';

/**
 * 16 bytes by which batches are found that ask the same of their items: of the operation and its
 * options, whatever the model.
 */
export function optionsHash(operation: string, options: Readonly<Record<string, unknown>>): Buffer {
  const { model: _model, ...others } = options;
  const text = canonicalJson({ operation, options: others });
  return createHash('sha256').update(text).digest().subarray(0, 16);
}

/** JSON with its keys in order, so that the same input hashes the same in any order. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isRecord(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
