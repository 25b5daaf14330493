/** How much a JSON text would become, told by its bytes before it is parsed. */
import { stringEnd } from '../../core/exact-json.ts';

/** A body of 25 MB can be 12 million values, which take seconds and gigabytes to make. */
const maxValues = 1_000_000;

const quote = 0x22;

/**
 * What there is too much of in a JSON text; null where it can be parsed. Strings are passed over
 * whatever they hold.
 */
export function jsonSizeProblem(bytes: Uint8Array): string | null {
  let values = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    switch (bytes[at]) {
      case quote:
        at = stringEnd(bytes, at) - 1;
        break;
      case 0x2c: // ,
      case 0x5b: // [
      case 0x7b: // {
        values += 1;
        break;
    }
    if (values > maxValues) return `must hold at most ${maxValues.toLocaleString('en')} values`;
  }
  return null;
}
