/** Text in columns of a terminal. */
import type { Estimate } from '../client/index.ts';

/** East Asian characters and emoji take two columns: https://www.unicode.org/reports/tr11/ */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;
/** Takes no column by itself: accents on nothing, zero-width joiners, control characters. */
const invisible = /^[\p{M}\p{Cf}\p{Cc}]+$/u;
/** Most digits behind the point of an amount. */
const maxDigits = 12;
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Columns that a text takes, without escape sequences in it. */
export function displayWidth(text: string): number {
  return pieces(text).reduce((sum, { width }) => sum + width, 0);
}

/** Without what moves a cursor or changes a terminal: texts are of strangers. Lines stay lines. */
export function plain(text: string): string {
  return text.replace(/(?![\n\t])\p{Cc}/gu, '');
}

/** Exactly `width` columns: cut with an ellipsis, or filled up. White space becomes one space. */
export function fit(text: string, width: number): string {
  const line = plain(text.replace(/\s+/g, ' ')).trim();
  const whole = displayWidth(line);
  if (whole <= width) return line + ' '.repeat(width - whole);
  if (width < 1) return '';
  let cut = '';
  let used = 0;
  for (const piece of pieces(line)) {
    if (used + piece.width > width - 1) break;
    cut += piece.text;
    used += piece.width;
  }
  return `${cut}…${' '.repeat(width - used - 1)}`;
}

/** 3,080 */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** 1 row, 3,080 rows */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : plural}`;
}

/** 66.4 % */
export function percent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)} %`;
}

/** 0:03, 12:40, 1:02:40 */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}`;
}

/** 3.1 s, or minutes and hours as a clock has them. */
export function duration(ms: number): string {
  return ms < 59_950 ? `${(ms / 1000).toFixed(1)} s` : clock(ms);
}

/** Cents matter here, and fractions of them: $0.0123, $1.20, $0.000021. */
export function dollars(usd: number): string {
  return `$${usd.toFixed(usd < 0.1 ? Math.max(4, digitsOf(usd)) : 2)}`;
}

/** Behind the point, until two of an amount count; 0 where that would be too many. */
function digitsOf(usd: number): number {
  const digits = usd > 0 ? 1 - Math.floor(Math.log10(usd)) : 0;
  return digits > maxDigits ? 0 : digits;
}

/** `$1.53 ($1.40 to $1.70)`; one figure for a range without width. */
export function usdText({ expected, low, high }: Estimate): string {
  const [from, to] = [dollars(low), dollars(high)];
  return from === to ? from : `${dollars(expected)} (${from} to ${to})`;
}

/** A cost, or that none is known: unknown is never $0. */
export function cost(usd: number | null): string {
  return usd === null ? 'no known price' : dollars(usd);
}

function pieces(text: string): { text: string; width: number }[] {
  return Array.from(graphemes.segment(text), ({ segment }) => ({
    text: segment,
    width: invisible.test(segment) ? 0 : wide.test(segment) ? 2 : 1,
  }));
}
