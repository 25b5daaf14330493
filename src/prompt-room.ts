/**
 * Room for long prompts under way. A template makes a prompt of millions of characters out of a
 * few, and hundreds of items go out at once.
 */

/**
 * Shorter prompts are not counted: all that a process has under way at once take less than the
 * room.
 */
const shortPrompt = 100_000;
/** Characters; each is held some three times while it is sent, as text, as JSON and as bytes. */
const roomCharacters = 8_000_000;

export interface PromptRoom {
  /**
   * What gives the room of a prompt back when it has been sent; null where there is none for it
   * now.
   */
  take(characters: number): (() => void) | null;
}

/** The room of one process. */
export function createPromptRoom(): PromptRoom {
  let taken = 0;
  return {
    take(characters) {
      if (characters <= shortPrompt) return () => undefined;
      if (taken > 0 && taken + characters > roomCharacters) return null;
      taken += characters;
      return () => {
        taken -= characters;
      };
    },
  };
}
