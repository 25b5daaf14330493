/** What tests of random cases share: how many cases there are, and text of any characters. */
import fc from 'fast-check';

/**
 * The same cases in every run, so that a change is told apart from chance; with PROPERTY_RUNS, so
 * many times as many cases, new ones in each run.
 */
export function runsOf(usual: number): { numRuns: number; seed?: number } {
  const times = process.env.PROPERTY_RUNS;
  return times ? { numRuns: usual * Number(times) } : { numRuns: usual, seed: 1 };
}

const firstSurrogate = 0xd800;
const surrogates = 0x800;
const lastCharacter = 0x10_ffff;

/**
 * Any code point but surrogates, each as likely as the other. The unit `binary` of fast-check is
 * the same; before the first case it makes a map of all of them, which takes a second.
 */
export const anyCharacter = fc
  .integer({ min: 0, max: lastCharacter - surrogates })
  .map((at) => String.fromCodePoint(at < firstSurrogate ? at : at + surrogates));
