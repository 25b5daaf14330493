/** Text into words and terms: the common ground of every rule. */
import { stem } from './stem.ts';

/** Rules read no more of an item than this, so that a hostile megabyte costs no more than a page. */
export const READ_LIMIT = 20_000;

const stopWords = new Set(
  `a about after again all also am an and any are as at be because been before being both but by can could did do does
  doing down during each few for from further had has have having he her here hers him his how i if in into is it its just
  like me more most my myself of off on once only or other our ours out over own please same she should so some such than
  that the their them then there these they this those through to too under until up us very was we were what when where
  which while who whom why will with would you your yours hi hello hey thanks thank ca im ive id`.split(
    /\s+/,
  ),
);
stopWords.delete('');

const negations = new Set(['not', 'never', 'no', 'without', 'unable', 'cannot', 'nothing', 'nor']);

/** Contractions as people type them without the apostrophe. */
const bareContractions = new Set(
  'dont doesnt didnt isnt arent wasnt werent havent hasnt hadnt cant couldnt wont wouldnt shouldnt aint'.split(
    ' ',
  ),
);

/** Words that are one thing when they stand together, in texts and in category names alike. By stems. */
const compounds = new Map(
  `top up=topup;topp up=topup;log in=login;sign in=login;log on=login;sign up=signup;set up=setup;check in=checkin;
  e mail=email;web site=website;wi fi=wifi;pass code=passcod;pass word=password;pay pal=paypal;bank account=bankaccount;
  direct debit=directdebit;credit card=creditcard;debit card=debitcard;gift card=giftcard;charg back=chargeback;
  cash back=cashback;customer servic=customerservic;real estat=realestat;machin learn=machinelearn`
    .split(';')
    .map((pair) => pair.trim().split('=') as [string, string]),
);
const compoundStarts = new Set(
  [...compounds.keys()].map((pair) => pair.slice(0, pair.indexOf(' '))),
);

export function isStopWord(word: string): boolean {
  return stopWords.has(word);
}

/** Lower-case words; "doesn't" and "doesnt" both end in the word "not". */
export function words(text: string): string[] {
  let lower = text.toLowerCase();
  if (lower.includes("'") || lower.includes('’')) {
    lower = lower.replace(/n['’]t\b/g, ' not').replace(/['’](?:s|re|m|ve|ll|d)\b/g, ' ');
  }
  const found = lower.match(/[\p{L}\p{N}]+/gu);
  if (!found) return [];
  const result: string[] = [];
  for (const word of found) {
    if (word === 'cannot') result.push('can', 'not');
    else if (bareContractions.has(word)) result.push(word.slice(0, -2), 'not');
    else result.push(word);
  }
  return result;
}

/** `whyVerify_identity?` into `why Verify identity`: names of categories and properties as readable words. */
export function nameToText(name: string): string {
  return name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/[_\-./?:]+/g, ' ')
    .trim();
}

export interface Terms {
  /** Every word's stem in order, compounds joined, stop words included: phrases are found here. */
  stream: string[];
  /** The stems that carry meaning, in order, repeated as often as they occur. */
  content: string[];
  /** `not_x` for content words that follow a negation closely. */
  negated: string[];
}

const NEGATION_REACH = 3;

export function terms(text: string): Terms {
  const stream: string[] = [];
  const content: string[] = [];
  const negated: string[] = [];
  let reach = 0;
  const all = words(text);
  for (let i = 0; i < all.length; i++) {
    const word = all[i] as string;
    let stemmed = stem(word);
    if (compoundStarts.has(stemmed)) {
      const joined = compounds.get(`${stemmed} ${stem(all[i + 1] ?? '')}`);
      if (joined) {
        stemmed = joined;
        i++;
      }
    }
    stream.push(stemmed);
    if (negations.has(word)) {
      reach = NEGATION_REACH;
      continue;
    }
    if (stopWords.has(stemmed) || (stopWords.has(word) && stemmed === stem(word))) continue;
    content.push(stemmed);
    if (reach > 0) {
      negated.push(`not_${stemmed}`);
      reach--;
    }
  }
  return { stream, content, negated };
}
