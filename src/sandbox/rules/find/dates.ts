/** Dates as people write them; ISO 8601 where the words say a whole date, else the words themselves. */
import { type Found, MAX_FOUND } from './patterns.ts';

export interface FoundDate extends Found {
  /** `YYYY-MM-DD`, or null where the text does not say year, month and day. */
  iso: string | null;
}

const months =
  'jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?';
const monthStarts = [
  'jan',
  'feb',
  'mar',
  'apr',
  'may',
  'jun',
  'jul',
  'aug',
  'sep',
  'oct',
  'nov',
  'dec',
];
const weekdays =
  'mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:rs|rsday|r)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?';

const patterns: readonly RegExp[] = [
  /\b(?<year>\d{4})[-/.](?<month>\d{1,2})[-/.](?<day>\d{1,2})(?:T[\d:.]{4,15}Z?)?\b/g,
  /\b(?<first>\d{1,2})[/.-](?<second>\d{1,2})[/.-](?<year>\d{4}|\d{2})\b/g,
  new RegExp(
    `\\b(?:(?:${weekdays}),? )?(?:the )?(?<day>\\d{1,2})(?:st|nd|rd|th)?(?: of)? (?<name>${months})\\b\\.?(?:,? (?<year>\\d{4}))?`,
    'gi',
  ),
  new RegExp(
    `\\b(?:(?:${weekdays}),? )?(?<name>${months})\\.? (?:the )?(?<day>\\d{1,2})(?:st|nd|rd|th)?\\b(?:,? (?<year>\\d{4}))?`,
    'gi',
  ),
  new RegExp(`\\b(?<name>${months})\\.? (?<year>\\d{4})\\b`, 'gi'),
  new RegExp(
    `\\b(?:(?:this|next|last|coming) )?(?:${weekdays})\\b(?: (?:morning|afternoon|evening|night|(?:the )?\\d{1,2}(?:st|nd|rd|th)))?`,
    'gi',
  ),
  /\b(?:the )?(?:day after tomorrow|day before yesterday|today|tomorrow|tonight|yesterday)(?: (?:morning|afternoon|evening|night))?\b/gi,
  /\b(?:in (?:\d{1,3}|a|an|one|two|three|four|five|six|seven|eight|nine|ten) (?:days?|weeks?|months?|years?)|(?:\d{1,3}|a|one|two|three) (?:days?|weeks?|months?|years?) ago|(?:this|next|last) (?:week(?:end)?|month|year))\b/gi,
  /\b(?:the )?\d{1,2}(?:st|nd|rd|th)\b/gi,
];

export function findDates(text: string): FoundDate[] {
  const found: FoundDate[] = [];
  for (const pattern of patterns) {
    for (const match of text.matchAll(pattern)) {
      if (found.length >= MAX_FOUND) break;
      if (
        found.some(
          ({ at, length }) => match.index < at + length && at < match.index + match[0].length,
        )
      )
        continue;
      const iso = isoDate(match.groups ?? {});
      if (iso === 'impossible') continue;
      found.push({
        value: iso ?? match[0].trim(),
        at: match.index,
        length: match[0].length,
        score: iso ? 0.95 : 0.75,
        iso,
      });
    }
  }
  return found.sort((a, b) => a.at - b.at);
}

function isoDate(groups: Record<string, string | undefined>): string | null | 'impossible' {
  const { year, day, name } = groups;
  if (groups.first && groups.second && year) {
    const first = Number(groups.first);
    const second = Number(groups.second);
    // Day first, as most of the world writes, unless only the other order is a date.
    return whole(year, second > 12 ? first : second, second > 12 ? second : first);
  }
  if (groups.month && year && day) return whole(year, Number(groups.month), Number(day));
  if (name && year && day) return whole(year, monthOf(name), Number(day));
  if (name && day && (Number(day) < 1 || Number(day) > 31)) return 'impossible';
  return null;
}

function monthOf(name: string): number {
  return monthStarts.indexOf(name.slice(0, 3).toLowerCase()) + 1;
}

function whole(year: string, month: number, day: number): string | 'impossible' {
  const full = year.length === 2 ? (Number(year) < 50 ? 2000 : 1900) + Number(year) : Number(year);
  const date = new Date(Date.UTC(full, month - 1, day));
  if (full < 1000 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day)
    return 'impossible';
  return date.toISOString().slice(0, 10);
}
