/** A text as it came, in a box that scrolls where it is long. */
import { useMemo } from 'react';
import { visible } from '../../words/text.ts';

/** A browser takes minutes to lay 10 MB out as one text, and lays out only pieces in sight. */
const pieceCharacters = 10_000;

export function WholeText({
  name,
  text,
  mono,
  small,
}: {
  /** Name of the text, for people who hear the page. */
  name: string;
  text: string;
  mono?: boolean;
  small?: boolean;
}) {
  const pieces = useMemo(() => piecesOf(text), [text]);
  return (
    <section
      className={small ? 'whole small-whole' : 'whole'}
      aria-label={name}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
      tabIndex={0}
    >
      <pre className={mono ? 'mono' : undefined} dir="auto">
        {pieces.length === 1
          ? visible(text, { lines: true })
          : pieces.map((piece, at) => (
              <span key={at} className="piece">
                {visible(piece, { lines: true })}
              </span>
            ))}
      </pre>
    </section>
  );
}

/** Each but the last ends after a line break, or a blank, where one is near enough. */
function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  while (text.length - start > pieceCharacters) {
    const longest = text.slice(start, start + pieceCharacters);
    const breaks = [longest.lastIndexOf('\n'), longest.lastIndexOf(' ')];
    const near = breaks.find((at) => at > pieceCharacters / 2);
    // The halves of one character stay together.
    const whole = /[\ud800-\udbff]$/.test(longest) ? pieceCharacters - 1 : pieceCharacters;
    const end = start + (near === undefined ? whole : near + 1);
    pieces.push(text.slice(start, end));
    start = end;
  }
  return [...pieces, text.slice(start)];
}
