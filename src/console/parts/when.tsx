/** An instant in a word or two; the exact one shows under the pointer. */
import { useTimes } from '../words/numbers.ts';

export function When({ at }: { at: string }) {
  const times = useTimes();
  return (
    <time dateTime={at} title={times.exact(at)}>
      {times.day(at)}
    </time>
  );
}
