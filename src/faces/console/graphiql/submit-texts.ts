const first = ['Ada', 'Grace', 'Alan', 'Katherine', 'Edsger', 'Barbara', 'Donald', 'Margaret'];
const last = ['Palmer', 'Okafor', 'Lindqvist', 'Moreau', 'Tanaka', 'Novak', 'Silva', 'Haddad'];
const companies = ['Terra Ignota', 'Blue Harbour', 'Northwind', 'Acme', 'Vega Labs'];
const months = ['January', 'March', 'April', 'June', 'August', 'October'];

/** Texts of the tab SubmitBatch: enough to watch, each different, so that no cache answers. */
export const submitTexts: readonly string[] = Array.from({ length: 2_000 }, (_, n) => {
  const name = `${first[n % 8]} ${last[Math.floor(n / 8) % 8]}`;
  const date = `${(n % 28) + 1} ${months[n % 6]} ${2_000 + (n % 25)}`;
  return `${name} joined ${companies[n % 5]} Ltd on ${date} for $${60_000 + n * 25} a year.`;
});
