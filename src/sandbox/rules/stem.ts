/**
 * A light English stemmer: "verification" meets "verify", "topping up" meets "top_up". It is a
 * short cousin of Porter's stemmer. Other scripts pass through unchanged.
 */

/** Words whose forms share no ending. */
const irregular: ReadonlyMap<string, string> = new Map(
  `lost=lose stole=steal stolen=steal theft=steal paid=pay sent=send took=take taken=take got=get
  gotten=get bought=buy sold=sell gave=give given=give made=make went=go gone=go broke=break
  broken=break ate=eat forgot=forget forgotten=forget withdrew=withdraw withdrawn=withdraw
  came=come found=find kept=keep left=leave won=win spent=spend wrote=write froze=freeze
  cheque=check cheques=check currency=currenc currencies=currenc people=person children=child
  id=ident identity=ident identification=ident identify=ident`
    .split(/\s+/)
    .map((pair) => pair.split('=') as [string, string]),
);

/** `ending=what stays:the least length of the rest`, longest first. */
const endings = `ification=if:2 isation=:4 ization=:4 ation=:4 ition=:4 ment=:3 ance=:4 ence=:5
  able=:4 ible=:4 tion=t:3 sion=s:3 ness=:4 less=:4 ful=:4 ity=:5 ate=:4 ise=:5 ize=:5 ure=:4
  al=:5 ly=:4 y=:4 e=:3`
  .split(/\s+/)
  .map((rule) => rule.split(/[=:]/) as [string, string, string])
  .map(([ending, stays, least]) => ({ ending, stays, least: Number(least) }));

/** The stem of a lower-case word. Two forms of one word usually, not always, share it. */
export function stem(word: string): string {
  const base = irregular.get(word) ?? word;
  if (base.length < 4) return base;
  const bare = withoutInflection(base);
  const rule = endings.find(
    ({ ending, least }) => bare.length - ending.length >= least && bare.endsWith(ending),
  );
  return rule ? bare.slice(0, -rule.ending.length) + rule.stays : bare;
}

/** Without the endings of plurals and verbs. */
function withoutInflection(word: string): string {
  let bare = word;
  if (word.endsWith('ies') && word.length > 4) bare = `${word.slice(0, -3)}y`;
  else if (/(?:ss|sh|ch|x|zz)es$/.test(word)) bare = word.slice(0, -2);
  else if (word.endsWith('s') && !/(?:ss|us|is)$/.test(word)) bare = word.slice(0, -1);
  const rest = bare.replace(/(?:ing|ed)$/, '');
  if (rest === bare || rest.length < 3 || !/[aeiouy]/.test(rest)) return bare;
  return rest.replace(/([bdfgmnprt])\1$/, '$1');
}
