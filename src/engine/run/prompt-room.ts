/**
 * Room for long prompts under way. A template makes a prompt of millions of characters out of a
 * few, and hundreds of items go out at once.
 */
import { createSpentMemory } from '../../core/spent-memory.ts';

/**
 * Characters. Shorter prompts are not counted: all that a process has under way at once take less
 * than the room.
 */
export const shortPrompt = 100_000;
/** Characters; each is held some three times while it is sent, as text, as JSON and as bytes. */
export const roomCharacters = 8_000_000;

export interface PromptRoom {
  /** True where there is room for so many characters now. */
  has(characters: number): boolean;
  /** Takes room, and says whether there was any. What was taken is given back once it is sent. */
  take(characters: number): boolean;
  giveBack(characters: number): void;
}

/** The room of one process. */
export function createPromptRoom(): PromptRoom {
  let taken = 0;
  const spent = createSpentMemory();
  const counted = (characters: number) => (characters > shortPrompt ? characters : 0);
  const room: PromptRoom = {
    has: (characters) => taken === 0 || taken + counted(characters) <= roomCharacters,
    take(characters) {
      if (!room.has(characters)) return false;
      spent.add(characters);
      taken += counted(characters);
      return true;
    },
    giveBack(characters) {
      taken -= counted(characters);
    },
  };
  return room;
}
