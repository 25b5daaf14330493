/** Nearness: of two numbers or names the one beside the word that was asked for is meant. */
import { terms } from './text.ts';

const WINDOW = 48;

/** 0..5: how near a find stands to the words of the question, and to a place in the text that goes before. */
export function closeness(
  text: string,
  found: { at: number; length: number },
  cues: readonly string[],
  near: number | undefined,
): number {
  let sum = 0;
  if (near !== undefined) {
    // What belongs to a name mostly follows it.
    const distance = found.at >= near ? found.at - near : 2 * (near - found.at);
    sum += 4 / (1 + distance / 20);
  }
  if (cues.length === 0) return sum;
  const before = text.slice(Math.max(0, found.at - WINDOW), found.at);
  const after = text.slice(found.at + found.length, found.at + found.length + WINDOW / 2);
  const around = [...terms(before).content.reverse(), ...terms(after).content];
  const split = terms(before).content.length;
  let best = 0;
  for (const cue of cues) {
    const at = around.indexOf(cue);
    if (at < 0) continue;
    const distance = at < split ? at : at - split;
    best = Math.max(best, 1 / (1 + distance / 2));
  }
  return sum + best;
}
