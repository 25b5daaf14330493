/**
 * A light English stemmer: enough that "verification" meets "verify" and "topping up" meets "top_up".
 * It is a short cousin of Porter's, with -ise/-ize and -ification added; other scripts pass through unchanged.
 */

/** Words whose forms share no ending. */
const irregular: ReadonlyMap<string, string> = new Map(
  Object.entries({
    lost: 'lose',
    stole: 'steal',
    stolen: 'steal',
    theft: 'steal',
    paid: 'pay',
    sent: 'send',
    took: 'take',
    taken: 'take',
    got: 'get',
    gotten: 'get',
    bought: 'buy',
    sold: 'sell',
    gave: 'give',
    given: 'give',
    made: 'make',
    went: 'go',
    gone: 'go',
    broke: 'break',
    broken: 'break',
    ate: 'eat',
    eaten: 'eat',
    forgot: 'forget',
    forgotten: 'forget',
    chose: 'choose',
    chosen: 'choose',
    withdrew: 'withdraw',
    withdrawn: 'withdraw',
    withdrawl: 'withdraw',
    saw: 'see',
    seen: 'see',
    came: 'come',
    found: 'find',
    felt: 'feel',
    kept: 'keep',
    left: 'leave',
    held: 'hold',
    won: 'win',
    spent: 'spend',
    wrote: 'write',
    written: 'write',
    froze: 'freeze',
    frozen: 'freeze',
    cheque: 'check',
    cheques: 'check',
    people: 'person',
    men: 'man',
    women: 'woman',
    children: 'child',
    currency: 'currenc',
    currencies: 'currenc',
    id: 'ident',
    identity: 'ident',
    identification: 'ident',
    identify: 'ident',
    news: 'news',
    analysis: 'analys',
    analyses: 'analys',
    business: 'business',
    process: 'process',
  }).map(([form, base]) => [form, base === 'lose' ? 'lose' : base]),
);

const vowel = /[aeiouy]/;

/** The stem of a lower-case word. Two forms of one word usually, not always, share it. */
export function stem(word: string): string {
  const base = irregular.get(word) ?? word;
  if (base.length < 4) return base;
  return ending(inflection(base));
}

function inflection(word: string): string {
  let w = word;
  if (w.endsWith('ies') && w.length > 4) w = `${w.slice(0, -3)}y`;
  else if (/(?:ss|sh|ch|x|zz)es$/.test(w)) w = w.slice(0, -2);
  else if (w.endsWith('s') && !/(?:ss|us|is)$/.test(w)) w = w.slice(0, -1);

  const cut = w.endsWith('ing') ? 3 : w.endsWith('ed') ? 2 : 0;
  if (cut > 0) {
    const rest = w.slice(0, -cut);
    if (rest.length >= 3 && vowel.test(rest)) {
      w = /([bdfglmnprt])\1$/.test(rest) && !/(?:ll|ss)$/.test(rest) ? rest.slice(0, -1) : rest;
    }
  }
  return w.endsWith('ell') && w.length > 5 ? w.slice(0, -1) : w;
}

/** Longest first; the second value is what stays in its place, the third the least length of the rest. */
const endings: readonly (readonly [string, string, number])[] = [
  ['ification', 'if', 2],
  ['isation', '', 4],
  ['ization', '', 4],
  ['ation', '', 4],
  ['ition', '', 4],
  ['ment', '', 3],
  ['ance', '', 4],
  ['ence', '', 5],
  ['able', '', 4],
  ['ible', '', 4],
  ['tion', 't', 3],
  ['sion', 's', 3],
  ['ness', '', 4],
  ['less', '', 4],
  ['ful', '', 4],
  ['ity', '', 5],
  ['ate', '', 4],
  ['ise', '', 5],
  ['ize', '', 5],
  ['ure', '', 4],
  ['al', '', 5],
  ['ly', '', 4],
  ['y', '', 4],
  ['e', '', 3],
];

function ending(word: string): string {
  for (const [tail, stays, least] of endings) {
    if (word.length - tail.length >= least && word.endsWith(tail)) {
      return word.slice(0, word.length - tail.length) + stays;
    }
  }
  return word;
}
