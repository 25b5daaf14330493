/** Size of a JSON text as values, estimated from its bytes before the text is parsed. */
import { stringEnd } from '../../core/exact-json.ts';

/** A body of 16 MB can be 8 million values, which take seconds and gigabytes to make. */
export const maxValues = 1_000_000;

const quote = 0x22;

/**
 * The problem of a JSON text with more than `most` values, or with more than `maxDepth` levels,
 * strings skipped; null for others.
 */
export function jsonSizeProblem(
  bytes: Uint8Array,
  {
    most = maxValues,
    maxDepth = Number.POSITIVE_INFINITY,
  }: { most?: number; maxDepth?: number } = {},
): string | null {
  let values = 0;
  let depth = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    switch (bytes[at]) {
      case quote:
        at = stringEnd(bytes, at) - 1;
        break;
      case 0x5b: // [
      case 0x7b: // {
        values += 1;
        depth += 1;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth -= 1;
        break;
      case 0x2c: // ,
        values += 1;
        break;
    }
    if (values > most) return `must hold at most ${most.toLocaleString('en')} values`;
    if (depth > maxDepth) return `must be nested at most ${maxDepth} levels deep`;
  }
  return null;
}
