/** A text as it came, in a box that scrolls where it is long. */
import { visible } from '../../words/text.ts';

export function WholeText({
  name,
  text,
  mono,
  small,
}: {
  /** What it is, for people who hear the page. */
  name: string;
  text: string;
  mono?: boolean;
  small?: boolean;
}) {
  return (
    <section
      className={small ? 'whole small-whole' : 'whole'}
      aria-label={name}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
      tabIndex={0}
    >
      <pre className={mono ? 'mono' : undefined} dir="auto">
        {visible(text, { lines: true })}
      </pre>
    </section>
  );
}
