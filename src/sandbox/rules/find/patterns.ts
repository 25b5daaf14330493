/**
 * Things with a shape of their own: mail addresses, numbers to call, links, times, street addresses, codes.
 * Every quantifier is bounded, so that no text makes a pattern crawl.
 */

/** Something found in a text: its value, where it stands, and how sure the rule is (0..1). */
export interface Found<Value = string> {
  value: Value;
  at: number;
  length: number;
  score: number;
}

function all(text: string, pattern: RegExp, score: number, group = 0): Found[] {
  const found: Found[] = [];
  for (const match of text.matchAll(pattern)) {
    const value = (match[group] ?? '').trim();
    if (value) found.push({ value, at: match.index, length: match[0].length, score });
    if (found.length >= MAX_FOUND) break;
  }
  return found;
}

/** Nobody asks for more of one kind in one item. */
export const MAX_FOUND = 100;

export function findEmails(text: string): Found[] {
  if (!text.includes('@')) return [];
  return all(text, /[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}/g, 0.98);
}

export function findUrls(text: string): Found[] {
  return all(text, /\bhttps?:\/\/[^\s<>"'`)\]]{2,300}|\bwww\.[^\s<>"'`)\]]{3,300}/gi, 0.98).map(
    (found) => ({
      ...found,
      value: found.value.replace(/[.,;:!?]+$/, ''),
    }),
  );
}

export function findPhones(text: string): Found[] {
  return all(
    text,
    /(?<![\w.])(?:\+\d{1,3}[ .-]?)?(?:\(\d{1,4}\)[ .-]?)?\d{2,4}(?:[ .-]\d{2,5}){1,4}(?![\w-])|(?<![\w.])\+?\d{9,14}(?!\w)/g,
    0.8,
  ).filter(({ value }) => {
    const digits = value.replace(/\D/g, '').length;
    return (
      digits >= 7 &&
      digits <= 15 &&
      !/^\d{4}[.-]\d{2}[.-]\d{2}$/.test(value) &&
      !/^\d{1,2}[.-]\d{1,2}[.-]\d{4}$/.test(value)
    );
  });
}

const clock =
  /\b(?:at |by |around |for |until |from )?((?:[01]?\d|2[0-3])[:.h][0-5]\d(?::[0-5]\d)?(?: ?[ap]\.? ?m\b\.?)?|(?:1[0-2]|0?[1-9]) ?(?:[ap]\.?m\b\.?|o['’ ]?clock)(?: ?[ap]\.?m\b\.?)?|(?:half past|quarter past|quarter to) \w{2,8}|noon|midday|midnight)/gi;
const spoken =
  /\b(?:at|by|around|about|for|until) ((?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:1[0-2]|[1-9]))(?: (?:thirty|fifteen|forty[- ]five))?)\b(?! (?:people|person|of us|guests|adults|kids|children|days?|weeks?|hours?|minutes?|th|st|nd|rd|\w{0,3}day|%|percent|dollars|euros|pounds|million|january|february|march|april|may|june|july|august|september|october|november|december))(?![\w%,.]?\d)/gi;
const partOfDay =
  /\b(?:this |in the |tomorrow |late |early )?(morning|afternoon|evening|lunch ?time|dinner ?time|breakfast)\b/gi;

export function findTimes(text: string): Found[] {
  const exact = all(text, clock, 0.92, 1);
  if (exact.length > 0) return exact;
  const said = all(text, spoken, 0.6, 1);
  if (said.length > 0) return said;
  const bare = /^\s*(\d{1,2}|[a-z]{3,6}(?: thirty)?)\s*[.!]?\s*$/i.exec(text);
  if (
    bare &&
    /^(?:\d|1\d|2[0-3]|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)/i.test(
      bare[1] ?? '',
    )
  ) {
    return [{ value: bare[1] ?? '', at: 0, length: text.length, score: 0.4 }];
  }
  return all(text, partOfDay, 0.5, 1);
}

/** `7:45 p.m.` as `19:45:00`; null where the words do not say an exact time. */
export function isoTime(value: string): string | null {
  const match = /^(\d{1,2})(?:[:.h](\d{2}))?(?::(\d{2}))?\s?(?:([ap])\.? ?m)?/i.exec(value.trim());
  if (!match)
    return /noon|midday/i.test(value) ? '12:00:00' : /midnight/i.test(value) ? '00:00:00' : null;
  const half = match[4]?.toLowerCase();
  const hour = (Number(match[1]) % (half ? 12 : 24)) + (half === 'p' ? 12 : 0);
  return `${String(hour).padStart(2, '0')}:${match[2] ?? '00'}:${match[3] ?? '00'}`;
}

export function findAddresses(text: string): Found[] {
  return all(
    text,
    /\b\d{1,5}[A-Za-z]?,? (?:[A-Z][\w'’]{1,20}\.? ){1,4}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Way|Court|Ct|Place|Pl|Square|Sq|Terrace|Close)\b\.?(?:, ?[A-Z][\w ]{1,25}){0,2}|\b[A-ZÄÖÜ][\wäöüß-]{2,25}(?:straße|strasse|str\.|gasse|weg|platz) \d{1,4}[a-z]?/g,
    0.85,
  );
}

export function findPostcodes(text: string): Found[] {
  return all(text, /\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b|\b\d{5}(?:-\d{4})?\b/g, 0.7);
}

/** Order numbers, tickets, SKUs: marked by a # or a word before, or a mix of letters and digits. */
export function findCodes(text: string): Found[] {
  const marked = all(
    text,
    /(?:#|\b(?:no|number|id|ref|reference|order|invoice|ticket|case|sku|code)\b[.:# ]{1,3})([A-Z]{0,6}-?\d[\w-]{1,24})/gi,
    0.85,
    1,
  );
  return marked.length > 0
    ? marked
    : all(
        text,
        /\b(?=[A-Z-]{0,8}\d)(?=\d{0,8}-?[A-Z])[A-Z\d]{2,10}(?:-[A-Z\d]{1,12}){0,3}\b/g,
        0.6,
      );
}

export function findQuoted(text: string): Found[] {
  return all(text, /["“«]([^"”»\n]{2,100})["”»]/g, 0.75, 1);
}
