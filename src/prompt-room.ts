/**
 * Room for long prompts under way. A template makes a prompt of millions of characters out of a
 * few, and hundreds of items go out at once.
 */

/** Characters; each is held some three times while it is sent, as text, as JSON and as bytes. */
const roomCharacters = 8_000_000;

export interface PromptRoom {
  /** False where there is no room for so many characters now. */
  take(characters: number): boolean;
  giveBack(characters: number): void;
}

/** The room of one process. */
export function createPromptRoom(): PromptRoom {
  let taken = 0;
  return {
    take(characters) {
      if (taken > 0 && taken + characters > roomCharacters) return false;
      taken += characters;
      return true;
    },
    giveBack(characters) {
      taken -= characters;
    },
  };
}
