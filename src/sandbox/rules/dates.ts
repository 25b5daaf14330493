/** Dates as people write them: ISO 8601 where the words say a whole date, else the words. */
import type { Found } from './node.ts';

export interface FoundDate extends Found {
  /** `YYYY-MM-DD`; null where the text does not say year, month and day. */
  iso: string | null;
}

const months = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const month = `(?<name>${months.join('|')})[a-z]{0,6}\\b\\.?`;
const day = '(?<day>\\d{1,2})(?:st|nd|rd|th)?';
const weekday = '(?:mon|tues|wednes|thurs|fri|satur|sun)day';
const patterns: readonly RegExp[] = [
  /\b(?<year>\d{4})[-/.](?<month>\d{1,2})[-/.](?<day>\d{1,2})(?:T[\d:.]{4,15}Z?)?\b/g,
  /\b(?<day>\d{1,2})[/.-](?<month>\d{1,2})[/.-](?<year>\d{4})\b/g,
  new RegExp(`\\b(?:the )?${day}(?: of)? ${month}(?:,? (?<year>\\d{4}))?`, 'gi'),
  new RegExp(`\\b${month} (?:the )?${day}\\b(?:,? (?<year>\\d{4}))?`, 'gi'),
  new RegExp(`\\b(?:(?:(?:this|next|last) )?${weekday}|today|tomorrow|tonight|yesterday)\\b`, 'gi'),
];
const maxDates = 100;

export function datesIn(text: string): FoundDate[] {
  const found: (FoundDate & { at: number; end: number })[] = [];
  for (const match of patterns.flatMap((pattern) => [...text.matchAll(pattern)])) {
    const [at, end] = [match.index, match.index + match[0].length];
    if (found.length >= maxDates || found.some((one) => at < one.end && one.at < end)) continue;
    const iso = isoDate(match.groups ?? {});
    if (iso !== 'impossible')
      found.push({ value: iso ?? match[0].trim(), score: iso ? 0.95 : 0.75, iso, at, end });
  }
  return found.sort((a, b) => a.at - b.at);
}

/** Null where a part is missing. */
function isoDate(groups: Record<string, string | undefined>): string | null | 'impossible' {
  const { year, name, day } = groups;
  if (day === undefined) return null;
  const number = name ? months.indexOf(name.slice(0, 3).toLowerCase()) + 1 : Number(groups.month);
  const date = new Date(Date.UTC(Number(year ?? 2024), number - 1, Number(day)));
  if (date.getUTCMonth() !== number - 1 || date.getUTCDate() !== Number(day)) return 'impossible';
  return year ? date.toISOString().slice(0, 10) : null;
}
