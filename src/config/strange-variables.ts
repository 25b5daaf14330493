/** Variables that look like ours and are none: a misspelt one would do nothing, without a word. */
import { editDistance } from '../core/nearest.ts';

/** Set by Kubernetes for every service: X_SERVICE_HOST, X_PORT_80_TCP_ADDR, X_PORT=tcp://… */
const ofKubernetes = /_(SERVICE_(HOST|PORT)(_\w+)?|PORT_\d+_(TCP|UDP)(_\w+)?)=|_PORT=(tcp|udp):/;
const ownPrefix = /^WINNOW_/;
/** OpenTelemetry's packages read many; Winnow names those that it looks at. */
const ofOpenTelemetry = /^OTEL_/;
/** More than this would be an attack, not a name. */
const maxNameLength = 100;
/** A longer name has room for two slips, a short one would be near to everything. */
const longNameLength = 8;
/** Length of a name that was left unfinished. */
const shortestBeginning = 4;

/**
 * A sentence for each variable whose name is near one of `known`, or begins as some do; never its
 * value. `named` are variables that PROVIDERS names.
 */
export function tellStrangeVariables(
  env: Readonly<Record<string, string | undefined>>,
  known: readonly string[],
  named: ReadonlySet<string>,
): string[] {
  const sentences: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value === '' || name.length > maxNameLength) continue;
    if (known.includes(name) || named.has(name) || ofKubernetes.test(`${name}=${value}`)) continue;
    const hint = hintFor(name, known);
    if (hint) sentences.push(`${name} is not a variable of Winnow and does nothing; ${hint}`);
  }
  return sentences;
}

/**
 * The known name that somebody may have meant by another: nearer than a slip of the pen in a text,
 * because the variables of all programs stand together; null where none is near.
 */
export function nearestSetting(name: string, known: readonly string[]): string | null {
  let best: { name: string; distance: number } | null = null;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (best === null || distance < best.distance) best = { name: candidate, distance };
  }
  const allowed = name.length < longNameLength ? 1 : 2;
  if (best !== null && best.distance <= allowed) return best.name;
  const begun = known.filter((one) => one.toLowerCase().startsWith(name.toLowerCase()));
  return name.length >= shortestBeginning && begun.length === 1 ? (begun[0] ?? null) : null;
}

function hintFor(name: string, known: readonly string[]): string | null {
  const bare = name.replace(ownPrefix, '');
  const near = nearestSetting(bare, known);
  if (near !== null) return `did you mean ${near}?`;
  if (ofOpenTelemetry.test(name)) return null;
  if (bare !== name) return 'its name must not begin with WINNOW_';
  const word = firstWord(name.toUpperCase());
  const family = known.filter((one) => one.includes('_') && firstWord(one) === word);
  if (family.length === 0) return null;
  const within = family.filter((one) => hasWordsOf(one, name.toUpperCase()));
  return within.length === 1
    ? `did you mean ${within[0]}?`
    : `it must be one of ${family.join(', ')}`;
}

function firstWord(name: string): string {
  return name.split('_')[0] ?? '';
}

/** All words of the name are in the known one: OPENAI_KEY in OPENAI_API_KEY. */
function hasWordsOf(known: string, name: string): boolean {
  const words = known.split('_');
  return name.split('_').every((word) => words.includes(word));
}
