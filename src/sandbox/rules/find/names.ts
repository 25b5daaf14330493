/** People, companies, job titles, places and products: runs of capitalised words, and the words that stand around them. */
import { cities, countries, firstNames, notNames, titleWords } from './name-lists.ts';
import { type Found, findQuoted, MAX_FOUND } from './patterns.ts';

const first = new Set(firstNames.split(/\s+/));
const never = new Set(notNames.split(/\s+/));
const cityNames = list(cities);
const countryNames = list(countries);
const placeWords = new Set([...cityNames, ...countryNames].flatMap((name) => name.split(' ')));

function list(text: string): string[] {
  return text
    .split(';')
    .map((name) => name.trim().replace(/\s+/g, ' '))
    .filter(Boolean);
}

const run =
  /\p{Lu}[\p{L}\p{M}'’.-]{0,30}(?: (?:(?:van|von|de|der|den|da|del|di|la|le|bin|al|of|&|and) ){0,2}\p{Lu}[\p{L}\p{M}\p{N}'’.-]{0,30}){0,4}/gu;
const companyEnd =
  /\b(?:Inc|Corp|Corporation|Ltd|Limited|LLC|LLP|GmbH|AG|SE|SA|S\.A|NV|BV|PLC|plc|Group|Holdings|Labs?|Technologies|Systems|Bank|Partners|Industries|Motors|Airlines|Pharma|University|Institute|Company|Co|Foundation|Studios?|Ventures|Capital|Solutions|Software)\.?$/;
const personBefore =
  /(?:\b(?:mr|mrs|ms|miss|dr|prof|sir)\.? |\b(?:name is|name's|name of|names? (?:is|are)|i am|i'm|this is|under(?: the name(?: of)?)?|called|named|contact|regards,?|sincerely,?|signed,?|by|says|said|told|met|with|for|reservation for|ceo|cto|cfo|president|director|founder|author) )$/i;
const companyBefore =
  /\b(?:at|of|joined|join|acquired|acquires|bought|from|by|company|employer|works for|work for|with|startup|firm|maker|giant|retailer) $/i;
const personAfter =
  /^,? (?:says|said|told|works|worked|joined|was (?:born|named|appointed)|is (?:the|a|an|our)|has been|\(?(?:age|aged) |who |(?:the |our )?(?:ceo|cto|cfo|coo|president|founder|director|head|vp|chief|manager|senior|lead|engineer|professor))/i;
const companyAfter =
  /^(?:'s|’s)? ?(?:announced|reported|reports|said (?:its|it)|launched|launches|acquired|acquires|raised|raises|posted|shares|stock|revenue|unveiled|hired|employs|will (?:acquire|buy|launch))/i;

interface Run extends Found {
  before: string;
  after: string;
  opensSentence: boolean;
}

function runs(text: string): Run[] {
  const found: Run[] = [];
  for (const match of text.matchAll(run)) {
    let value = match[0].replace(/['’]s?$|[.,'’-]+$/gu, (end) =>
      /^\.$/.test(end) && companyEnd.test(match[0]) ? end : '',
    );
    let at = match.index;
    let parts = value.split(' ');
    while (
      parts.length > 0 &&
      (never.has((parts[0] ?? '').replace(/['’].*$/, '')) || /^\p{Ll}/u.test(parts[0] ?? ''))
    ) {
      at += (parts[0]?.length ?? 0) + 1;
      parts = parts.slice(1);
    }
    const cut = parts.findIndex(
      (part) =>
        never.has(part) || (part.endsWith('.') && part.length > 4 && !companyEnd.test(part)),
    );
    if (cut > 0) parts = parts.slice(0, never.has(parts[cut] ?? '') ? cut : cut + 1);
    value = parts
      .join(' ')
      .replace(/^(?:Mr|Mrs|Ms|Miss|Dr|Prof|Sir)\.? /, '')
      .replace(/ (?:of|and|&|de|von|van)$/, '');
    if (value.length < 2 || /^(?:Mr|Mrs|Ms|Dr|Prof)\.?$/.test(value)) continue;
    at = text.indexOf(value, at);
    const before = text.slice(Math.max(0, at - 30), at);
    found.push({
      value,
      at,
      length: value.length,
      score: 0,
      before,
      after: text.slice(at + value.length, at + value.length + 40),
      opensSentence: at === 0 || /[.!?\n]["“]?\s*$/.test(before),
    });
    if (found.length >= MAX_FOUND) break;
  }
  return found;
}

export function findPeople(text: string): Found[] {
  const found = runs(text).flatMap((one) => {
    const parts = one.value.split(' ');
    if (
      companyEnd.test(one.value) ||
      (parts.some((part) => placeWords.has(part)) && parts.length < 2) ||
      cityNames.includes(one.value) ||
      countryNames.includes(one.value)
    )
      return [];
    let score = 0;
    if (first.has((parts[0] ?? '').toLowerCase())) score += 0.5;
    if (personBefore.test(one.before) || /\b(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.? $/.test(one.before))
      score += 0.4;
    if (personAfter.test(one.after)) score += 0.35;
    if (parts.length === 2 || parts.length === 3) score += 0.2;
    if (companyBefore.test(one.before) && !/\b(?:by|with|from) $/i.test(one.before)) score -= 0.3;
    if (companyAfter.test(one.after)) score -= 0.2;
    if (/[A-Z]{2,}|\d/.test(one.value)) score -= 0.4;
    if (/ (?:of|and|&) /.test(one.value)) score -= 0.4;
    if (one.opensSentence && parts.length === 1 && score < 0.5) score -= 0.3;
    return score >= 0.2 ? [{ ...one, score: Math.min(0.97, 0.3 + score) }] : [];
  });
  if (found.length > 0) return found;
  const cue =
    /\b(?:my name is|name's|name is|under the name(?: of)?|this is) ([\p{L}'’-]{2,20}(?: [\p{L}'’-]{2,20})?)/iu.exec(
      text,
    );
  if (cue?.[1]) return [{ value: cue[1], at: cue.index, length: cue[0].length, score: 0.6 }];
  const bare =
    /^\s*((?:it's |its )?\p{Lu}[\p{L}'’-]{1,20}(?: \p{Lu}[\p{L}'’-]{1,20}){0,2})[.!]?\s*$/u.exec(
      text,
    )?.[1];
  return bare && !never.has(bare) ? [{ value: bare, at: 0, length: bare.length, score: 0.5 }] : [];
}

export function findCompanies(text: string): Found[] {
  return runs(text).flatMap((one) => {
    const parts = one.value.split(' ');
    if (cityNames.includes(one.value) || countryNames.includes(one.value)) return [];
    let score = 0;
    if (companyEnd.test(one.value)) score += 0.6;
    if (companyBefore.test(one.before)) score += 0.35;
    if (companyAfter.test(one.after)) score += 0.45;
    if (/^[A-Z]{2,6}$/.test(one.value) || /\p{Ll}\p{Lu}/u.test(one.value)) score += 0.25;
    if (first.has((parts[0] ?? '').toLowerCase()) && !companyEnd.test(one.value)) score -= 0.5;
    if (personAfter.test(one.after)) score -= 0.2;
    if (one.opensSentence && parts.length === 1) score -= 0.05;
    return score >= 0.2 ? [{ ...one, score: Math.min(0.97, 0.35 + score) }] : [];
  });
}

const titles = titleWords.trim().split(/\s+/).join('|');
const titlePattern = new RegExp(
  `\\b(?:chief [a-z]{3,15}(?: [a-z]{3,15})? officer|(?:c[efotimp]o|vp|svp|evp)\\b(?: of [a-z]{3,15}(?: [a-z]{3,15})?)?|(?:vice president|head|president|director|professor|minister|secretary)(?: of [a-z]{3,15}(?: (?:and )?[a-z]{3,15})?)|(?:(?:senior|junior|lead|principal|chief|general|deputy|assistant|associate|executive|managing|regional|software|data|product|project|marketing|sales|account|customer|human|finance|financial|machine|learning|civil|mechanical|electrical|research|graphic|ux|prime|staff|hr|it|operations|systems|security|support|success|store|office|registered) ){0,4}(?:${titles})(?: of [a-z]{3,15}(?: [a-z]{3,15})?)?)\\b`,
  'gi',
);

export function findTitles(text: string): Found[] {
  const found: Found[] = [];
  for (const match of text.matchAll(titlePattern)) {
    // "CEO of Apple" is a title and a company; "VP of Marketing" is a title.
    const ofCompany = /^c[a-z]o of /i.test(match[0]) || /^\p{Ll}.* of \p{Lu}/u.test(match[0]);
    const value = (ofCompany ? match[0].replace(/ of .*$/i, '') : match[0]).replace(
      / (?:at|in|for|and|who|the|is|was)$/i,
      '',
    );
    found.push({
      value,
      at: match.index,
      length: value.length,
      score: value.includes(' ') || value === value.toUpperCase() ? 0.9 : 0.7,
    });
    if (found.length >= MAX_FOUND) break;
  }
  return found;
}

export function findCities(text: string): Found[] {
  const known = listed(text, cityNames, 0.9);
  if (known.length > 0) return known;
  return runs(text).flatMap((one) =>
    /\b(?:in|near|from|to|based in|city of) $/i.test(one.before) &&
    !companyEnd.test(one.value) &&
    !countryNames.includes(one.value)
      ? [{ ...one, score: 0.45 }]
      : [],
  );
}

export function findCountries(text: string): Found[] {
  return listed(text, countryNames, 0.92);
}

function listed(text: string, names: readonly string[], score: number): Found[] {
  const found: Found[] = [];
  for (const value of names) {
    const at = text.indexOf(value);
    if (
      at < 0 ||
      /[\p{L}\p{N}]/u.test(text[at - 1] ?? '') ||
      /[\p{L}\p{N}]/u.test(text[at + value.length] ?? '')
    )
      continue;
    if (found.some((other) => at >= other.at && at < other.at + other.length)) continue;
    found.push({ value, at, length: value.length, score });
  }
  return found.sort((a, b) => a.at - b.at || b.length - a.length);
}

/** Quoted names first, else names with a digit or a trademark's look, else what stands after "the new". */
export function findProducts(text: string): Found[] {
  const quoted = findQuoted(text);
  if (quoted.length > 0) return quoted;
  const looks = [
    ...text.matchAll(
      /\b\p{Lu}[\p{L}\d-]{1,20}(?: \p{Lu}?[\p{L}\d-]{1,15}){0,2} (?:\d{1,4}[A-Za-z]{0,4}|Pro|Max|Plus|Mini|Ultra|Air)(?: (?:Pro|Max|Plus|Mini|Ultra|Air))?\b/gu,
    ),
  ];
  if (looks.length > 0)
    return looks
      .slice(0, MAX_FOUND)
      .map((match) => ({ value: match[0], at: match.index, length: match[0].length, score: 0.65 }));
  const after = [
    ...text.matchAll(
      /\b(?:bought|ordered|purchased|received|buy|launched|unveiled|using|love|like|return) (?:the|this|these|my|a|an|its|their) (?:new )?([\p{L}\d-]{2,20}(?: [\p{L}\d-]{2,20})?)/giu,
    ),
  ];
  return after.slice(0, MAX_FOUND).map((match) => ({
    value: (match[1] ?? '').replace(
      / (?:last|and|but|for|from|in|on|it|is|was|yesterday|because|from|to|that|with|at|as)$/i,
      '',
    ),
    at: match.index,
    length: match[0].length,
    score: 0.5,
  }));
}
