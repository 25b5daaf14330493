/** Keeps what many may cause from filling the log. */

const minuteMs = 60_000;

/** Answers whether one more line may be written: true so often in a minute. */
export function createLineLimit(
  perMinute: number,
  now: () => number = () => performance.now(),
): () => boolean {
  let since = Number.NEGATIVE_INFINITY;
  let lines = 0;
  return () => {
    if (now() - since >= minuteMs) {
      since = now();
      lines = 0;
    }
    lines += 1;
    return lines <= perMinute;
  };
}
