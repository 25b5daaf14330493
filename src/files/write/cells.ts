/**
 * Cells of a CSV output as byte strings: quoted where they have to be, and with nothing in them
 * that a spreadsheet would run.
 */
import { toBytes, toText } from './text.ts';

/** Characters that may stand between the cells of an output. */
const outputDelimiters = [',', ';', '|', '\t'] as const;
export type OutputDelimiter = (typeof outputDelimiters)[number];

/** Null where it is none; a tab has a name, since few tools take it as it is. */
export function toDelimiter(text: string): OutputDelimiter | null {
  return outputDelimiters.find((one) => one === (text === 'tab' ? '\t' : text)) ?? null;
}

/** The writer of cells. `keepFormulas`: whatever a spreadsheet makes of it, for programs. */
export function createCellWriter({
  delimiter,
  keepFormulas,
}: {
  delimiter: OutputDelimiter;
  keepFormulas: boolean;
}): (bytes: string) => string {
  const special = (keepFormulas ? specials : guarded)[delimiter];

  const quoted = (value: string): string =>
    special.test(value) ? `"${value.replaceAll('"', '""')}"` : value;

  /** White space at the ends is quoted, so that no reader takes it off. */
  const withSpace = (value: string): string =>
    value === value.trim() ? quoted(value) : `"${value.replaceAll('"', '""')}"`;

  // Where a cell begins and ends with a visible ASCII character, nothing of it has to be decoded.
  if (keepFormulas) {
    return (bytes) => {
      if (bytes === '') return '';
      return isVisible(bytes.charCodeAt(bytes.length - 1)) && isVisible(bytes.charCodeAt(0))
        ? quoted(bytes)
        : toBytes(withSpace(toText(bytes)));
    };
  }
  return (bytes) => {
    if (bytes === '') return '';
    if (
      isVisible(bytes.charCodeAt(bytes.length - 1)) &&
      isVisible(bytes.charCodeAt(0)) &&
      !'=+-@;,|'.includes(bytes[0] as string)
    ) {
      return quoted(bytes);
    }
    const value = toText(bytes);
    return toBytes(withSpace(isFormula(value) ? `'${value}` : value));
  };
}

const specials: Readonly<Record<OutputDelimiter, RegExp>> = {
  ',': /["\r\n,]/,
  ';': /["\r\n;]/,
  '|': /["\r\n|]/,
  '\t': /["\r\n\t]/,
};

/**
 * The same, and what would be a formula where a spreadsheet takes another character for the
 * delimiter: within quotes it stays a part of its cell.
 */
const guarded: Readonly<Record<OutputDelimiter, RegExp>> = {
  ',': /["\r\n,]|[;|\t] *[=+\-@]/,
  ';': /["\r\n;]|[,|\t] *[=+\-@]/,
  '|': /["\r\n|]|[,;\t] *[=+\-@]/,
  '\t': /["\r\n\t]|[,;|] *[=+\-@]/,
};

function isVisible(code: number): boolean {
  return code > 0x20 && code < 0x7f;
}

/**
 * Text that a spreadsheet would run when the file is opened: it begins with = + - @ or a control
 * character (OWASP CSV injection), also in full width, and behind what it might take for a
 * delimiter. Plain numbers are left alone.
 */
function isFormula(value: string): boolean {
  return (
    /^[=+\-@\t\r\n＝＋－＠]|^[;,|]\s*[=+\-@]/.test(value) &&
    !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)
  );
}
