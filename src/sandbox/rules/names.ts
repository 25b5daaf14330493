/** People and companies: runs of capitalised words, and the words that stand around them. */
import type { Found } from './node.ts';
import { wordSet } from './text.ts';

/** Capitalised words that begin or end no name. */
const notNames = wordSet(`A An The This That These It He She We They You I My Our Your His Her In On
  At By For From With And But Or If When Where What Who Why How Please Thanks Hello Hi Hey Dear Yes
  No Not Can Could Would Will Do Does Did Is Are Was Were Has Have As After Before There Here Then
  Today Tomorrow Yesterday Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February
  March April May June July August September October November December Order Email Phone Call Contact
  Write Name Date Price Invoice Nothing Mr Mrs Ms Dr Prof CEO CTO CFO VP President Director`);
const run =
  /\p{Lu}[\p{L}'’-]{1,30}(?: (?:(?:van|von|de|del|di|al) )?\p{Lu}[\p{L}'’-]{1,30}){0,4}/gu;
const companyEnd = /\b(?:Inc|Corp|Corporation|Ltd|LLC|GmbH|AG|PLC|Group|Labs|Bank|Company)$/;
const companyBefore = /\b(?:at|of|joined|join|acquired|company|employer|works for) $/i;
const companyAfter = /^ (?:announced|reported|reports|launched|acquired|raised|posted|hired)\b/;
const personBefore =
  /\b(?:mr|mrs|ms|dr|prof|name is|i am|i'm|this is|under|called|contact|by|says|said|met|with)\.? $/i;
const personAfter = /^,? (?:says|said|joined|who |is \d|ceo|cto|cfo|vp|head|president|founder)\b/i;

/** The runs, each with its points as a person and as a company. */
function runsIn(text: string): { value: string; person: number; company: number }[] {
  return [...text.matchAll(run)].slice(0, 100).flatMap((match) => {
    const all = match[0].replace(/['’]s?$/, '').split(' ');
    const start = all.findIndex((word) => !notNames.has(word) && /^\p{Lu}/u.test(word));
    const end = all.findIndex((word, i) => i > start && notNames.has(word));
    const value = all.slice(start, end < 0 ? all.length : end).join(' ');
    if (start < 0) return [];
    const at = text.indexOf(value, match.index);
    const before = text.slice(Math.max(0, at - 30), at);
    const after = text.slice(at + value.length, at + value.length + 40);
    const isPerson = personBefore.test(before) || personAfter.test(after);
    const isCompany = companyBefore.test(before) || companyAfter.test(after);
    const full = value.includes(' ') ? 0.6 : 0.2;
    const company = companyEnd.test(value) ? 0.9 : isCompany && !isPerson ? 0.6 : 0;
    return [{ value, company, person: full + (isPerson ? 0.35 : 0) - (company > 0 ? 0.5 : 0) }];
  });
}

export const peopleIn = (text: string): Found[] =>
  runsIn(text).flatMap(({ value, person }) => (person >= 0.5 ? [{ value, score: person }] : []));

export const companiesIn = (text: string): Found[] =>
  runsIn(text).flatMap(({ value, company }) => (company > 0 ? [{ value, score: company }] : []));
