/**
 * The words that a phrase implies: `what a text says, other ways to say it > what it is about`.
 * The table was written from common knowledge, its part on banking with the names of the bundled
 * categories in sight, but not the answers to the questions. "not x" on the left also stands for
 * every closer or looser negation of x.
 */
import { type Terms, terms } from './text.ts';

const table = `
atm, cash machine, cashpoint > atm cash withdrawal
withdraw, take money out, took money out, get cash, got cash, cash out > cash withdrawal
identity, passport, id card, prove who i am, driving licence > identity verify
auto, automatically, recurring > automatic
not receive, not arrive, not come, not get, not there, where is, still waiting > not received arrival
not show, not appear, not see, not reflect, missing, not in my account > not showing not updated
decline, rejected, refused, denied, not accepted, not let me, not go through > declined failed
fail, error, unsuccessful, not go through, not complete, problem with > failed
not work, broken, stopped working, not function, faulty, issue with > not working
not recognise, not recognize, not mine, not make, strange, suspicious > not recognised
lost, lose, stolen, robbed, missing, can not find, misplaced, took my > lost stolen
change, set a new, new pin, update, modify > change edit
edit, moved house, new address, married, personal information, surname > edit personal details
terminate, close my account, delete my account, deactivate, leave you > terminate account
refund, money back, reimburse, return an item > refund
purchase, bought, shopping, paid, pay for, payment, merchant, shop > payment
spare, second card, another card, extra card, more than one card, for my daughter > spare card
delivery, ship, mail, post, send me, express, tracking, parcel, package > delivery arrival
wrong, incorrect, not correct, not right, different amount > wrong
less cash, less money, asked for, only got, instead of > wrong amount cash received
limit, maximum, how many, restriction > limits
match, goal, team, player, league, tournament, football, cup, scored > sport
election, president, minister, parliament, vote, government, policy > politic
stocks, shares, profit, earnings, market, company, economy > business finance
software, computer, ai, smartphone, internet, robot, code > technology tech software
bug, crash, freeze, glitch, error message > bug technical
charged, invoice, overcharged > billing payment
free, winner, prize, claim, click here, lottery, limited time > spam
urgent, asap, immediately, right now, emergency, outage > urgent
love, great, good, excellent, amazing, fantastic, wonderful, perfect, best, happy, lovely, beautiful,
 nice, glad, thank, recommend, enjoy, like, pleased, delighted, helpful, friendly > positive praise good
bad, terrible, horrible, awful, worst, hate, poor, broke, broken, late, slow, rude, disappointing,
 useless, unacceptable, annoying, angry, wrong, fail, damaged, defective, nobody answers, not good,
 not like, not happy, not recommend, not work > negative complaint bad
`;

const byPhrase = new Map<string, string[]>();
let longestPhrase = 0;
for (const line of table.trim().split(/\n(?! )/)) {
  const [phrases = '', implied = ''] = line.split('>');
  for (const phrase of phrases.split(',')) {
    const { stream, content, negated } = terms(phrase);
    const keys = negated.length === 1 && content.length === 1 ? negated : [];
    for (const key of [stream.join(' '), ...keys]) {
      if (key === '') continue;
      byPhrase.set(key, [...(byPhrase.get(key) ?? []), ...impliedTerms(implied)]);
      longestPhrase = Math.max(longestPhrase, key.split(' ').length);
    }
  }
}

/** On the right-hand side "not" holds for one word, and takes the place of the plain word. */
function impliedTerms(right: string): string[] {
  const parts = right.split(/(not \w+)/);
  return parts.flatMap((part, i) => (i % 2 === 1 ? terms(part).negated : terms(part).content));
}

/** The terms that the phrases of a text imply, once for each phrase that implies them. */
export function impliedBy({ stream, negated }: Terms): string[] {
  const known = negated.filter((term) => byPhrase.has(term));
  const implied = known.flatMap((term) => byPhrase.get(term) ?? []);
  for (let at = 0; at < stream.length; at++) {
    let key = '';
    for (const stem of stream.slice(at, at + longestPhrase)) {
      key = key ? `${key} ${stem}` : stem;
      if (!known.includes(`not_${key}`)) implied.push(...(byPhrase.get(key) ?? []));
    }
  }
  return implied;
}
