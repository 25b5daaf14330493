/**
 * Room for long prompts under way. A template makes a prompt of millions of characters out of a
 * few, and hundreds of items go out at once.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Characters. Shorter prompts are not counted: all that a process has under way at once take less
 * than the room.
 */
export const shortPrompt = 100_000;
/** Characters; each is held some three times while it is sent, as text, as JSON and as bytes. */
export const roomCharacters = 8_000_000;
/** Characters that are sent, or one prompt, before the memory of what was sent is given back. */
const spentCharacters = 4_000_000;

export interface PromptRoom {
  /** Whether there is room for so many characters now. */
  has(characters: number): boolean;
  /** Takes room, and says whether there was any. What was taken is given back once it is sent. */
  take(characters: number): boolean;
  giveBack(characters: number): void;
}

/** The room of one process. */
export function createPromptRoom(): PromptRoom {
  let taken = 0;
  let spent = 0;
  const counted = (characters: number) => (characters > shortPrompt ? characters : 0);
  const room: PromptRoom = {
    has: (characters) => taken === 0 || taken + counted(characters) <= roomCharacters,
    take(characters) {
      if (!room.has(characters)) return false;
      const more = counted(characters);
      if (more > 0 && spent > 0 && spent + more > spentCharacters) {
        collectGarbage();
        spent = 0;
      }
      taken += more;
      return true;
    },
    giveBack(characters) {
      taken -= counted(characters);
      spent += counted(characters);
    },
  };
  return room;
}

/**
 * Gives back the memory of what was sent. Node by itself lets a heap of 90 MB grow to 390 MB first:
 * texts of a megabyte are never young garbage. It takes some 50 ms, for a million tokens sent.
 */
function collectGarbage(): void {
  collector ??= findCollector();
  collector();
}

let collector: (() => void) | null = null;

/** Nobody starts Winnow with the flag, and it holds for contexts that are made after it is set. */
function findCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return (runInNewContext('globalThis.gc') as (() => void) | undefined) ?? (() => undefined);
}
