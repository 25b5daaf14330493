/** Text from outside, made fit to be shown: it stays text, whatever is in it. */

const symbolsAt = 0x2400;
const deleteSymbol = '\u2421';

/** Control characters are shown as symbols; a line break stays where `lines` is true. */
export function visible(text: string, { lines = false } = {}): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  return text.replace(/[\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, (found) => {
    const code = found.charCodeAt(0);
    if (lines && (found === '\n' || found === '\t')) return found;
    if (code === 0x7f) return deleteSymbol;
    // What turns the direction of all that follows would also turn the page around it.
    return code > 0x7f ? '\ufffd' : String.fromCharCode(symbolsAt + code);
  });
}

/** The beginning of a text for one line, with every run of white space as one blank. */
export function oneLine(text: string, characters = 200): string {
  const begin = text
    .slice(0, 4 * characters)
    .replace(/\s+/g, ' ')
    .trim();
  const cut = [...begin].slice(0, characters).join('');
  return visible(cut.length < begin.length ? `${cut}…` : cut);
}
