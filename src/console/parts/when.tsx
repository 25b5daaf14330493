/** An instant in a word or two; the exact one shows under the pointer, and with the focus. */
import { useTimes } from '../words/numbers.ts';

/** `day`: `14:02`, `yesterday`; `soon`: `tomorrow 09:40`; `clock`: `14:02:41`. */
type Words = 'day' | 'soon' | 'clock';

export function When({
  at,
  as = 'day',
  inRow = false,
}: {
  at: string;
  as?: Words;
  /** The exact instant shows with the focus of its row, and Tab does not stop here. */
  inRow?: boolean;
}) {
  const times = useTimes();
  const exact = times.exact(at);
  return (
    <time
      dateTime={at}
      className="when"
      title={exact}
      data-exact={exact}
      tabIndex={inRow ? undefined : 0}
    >
      {as === 'clock' ? times.clock(at, true) : times[as](at)}
    </time>
  );
}
