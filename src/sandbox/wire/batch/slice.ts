/** Milliseconds that one step of a batch may hold up the rest of this process. */
const sliceMs = 20;

/** False from the moment on when a step that begins now should leave the rest to the next. */
export function startSlice(): () => boolean {
  const end = performance.now() + sliceMs;
  return () => performance.now() < end;
}
