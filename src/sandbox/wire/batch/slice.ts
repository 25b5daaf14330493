/**
 * How long one step of a batch may keep everybody else in this process waiting, in milliseconds.
 */
const SLICE_MS = 20;

/** False from the moment on when a step that begins now should leave the rest to the next. */
export function startSlice(): () => boolean {
  const end = performance.now() + SLICE_MS;
  return () => performance.now() < end;
}
