/** Lets work that can wait take a share of the time, so that it is never in the way for long. */
export interface WorkShare {
  /** True where there is time to work now. */
  hasTime(): boolean;
  /** Milliseconds until there is. */
  waitMs(): number;
  /** Does a step, whose time is taken of the share. */
  spend<Result>(step: () => Promise<Result>): Promise<Result>;
}

/**
 * `shareNow` of the time, above 0 to 1, is asked at each look; unspent time is kept up to `keptMs`.
 * A step that takes longer than what there is is waited for afterwards.
 */
export function createWorkShare(
  { shareNow, keptMs }: { shareNow: () => number; keptMs: number },
  now: () => number = () => performance.now(),
): WorkShare {
  let leftMs = keptMs;
  let countedAt = now();

  function count(): number {
    const at = now();
    leftMs = Math.min(keptMs, leftMs + (at - countedAt) * shareNow());
    countedAt = at;
    return leftMs;
  }

  return {
    hasTime: () => count() > 0,
    waitMs: () => Math.max(0, -count() / shareNow()),
    async spend(step) {
      count();
      const begunAt = now();
      try {
        return await step();
      } finally {
        leftMs = count() - (now() - begunAt);
      }
    },
  };
}
