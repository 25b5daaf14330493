/**
 * The part of a provider's error that may be quoted: enough to correct the cause, no key and no
 * row.
 */
import type { ProviderConfig } from './provider-config.ts';

const maxQuotedChars = 300;
/** Shorter runs are words that a message and a row share by chance. */
const echoChars = 32;
/** Characters of a secret: fewer are shared by chance, and too few to be of use. */
const secretChars = 8;
/** Messages are searched this far for an echo; providers echo the beginning. */
const maxSearchedChars = 20_000;

const secretPatterns = [
  /\bbearer\s+\S+/gi,
  // OpenAI and its imitators (masked with asterisks in 401s), Groq, xAI, Hugging Face, Google, AWS.
  /\b(?:sk|rk|pk|gsk|xai|hf|r8|nvapi|AIza|AKIA)[-_A-Za-z0-9][-_*.A-Za-z0-9]{6,}/g,
  /\b(?:api[-_ ]?key|token|secret|password)["']?\s*[:=]\s*["']?[^\s"',;]+/gi,
  // Any other long run with digits in it is a token of some kind; nothing that a reader needs.
  /\b(?=[-_A-Za-z]*\d)[-_A-Za-z0-9]{36,}/g,
];

/**
 * `message` in one line of at most 300 characters. It has nothing that looks like a key, and no 8
 * characters of the given `secrets`. It has no run of 32 characters that also stands in `texts`,
 * the messages that were sent.
 */
export function quote(
  message: string,
  { secrets = [], texts = [] }: { secrets?: readonly string[]; texts?: readonly string[] } = {},
): string {
  // Cut generously first: a provider may send megabytes, and a key must not survive by being cut in
  // half.
  let safe = message.slice(0, 4 * maxQuotedChars);
  for (const secret of secrets) safe = withoutSecret(safe, secret);
  for (const pattern of secretPatterns) safe = safe.replace(pattern, '[redacted]');
  safe = safe.replace(/(?:\[redacted\])+/g, '[redacted]');
  safe = withoutEchoes(safe, texts);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are taken out
  safe = safe.replace(/[\s\u0000-\u001f\u007f]+/g, ' ').trim();
  return safe.length > maxQuotedChars ? `${safe.slice(0, maxQuotedChars - 1)}…` : safe;
}

/** Providers repeat keys without their beginning, or with their middle left out. */
function withoutSecret(message: string, secret: string): string {
  if (secret.length <= 3) return message;
  const safe = message.replaceAll(secret, '[redacted]');
  // An address or a word is one that a message may hold by chance.
  if (!hasDigit.test(secret) || secret.includes('://')) return safe;
  return withoutRuns(safe, secret, { chars: secretChars, instead: '[redacted]' });
}

const hasDigit = /\d/;

/** Without any run of so many characters that also stands in `text`. */
function withoutRuns(
  message: string,
  text: string,
  { chars, instead }: { chars: number; instead: string },
): string {
  let safe = message;
  for (let at = 0; at + chars <= safe.length; at += 1) {
    if (!text.includes(safe.slice(at, at + chars))) continue;
    let end = at + chars;
    while (end < safe.length && text.includes(safe.slice(at, end + 1))) end += 1;
    safe = `${safe.slice(0, at)}${instead}${safe.slice(end)}`;
    at += instead.length - 1;
  }
  return safe;
}

function withoutEchoes(message: string, texts: readonly string[]): string {
  let safe = message;
  for (const text of texts) {
    const searched = text.slice(0, maxSearchedChars);
    safe = withoutRuns(safe, searched, { chars: echoChars, instead: '[…]' });
  }
  return safe;
}

/** The key, and whatever in headers and query is long enough to be one. */
export function secretsOf({ apiKey, headers, query }: ProviderConfig): string[] {
  const others = [...Object.values(headers), ...Object.values(query)];
  return [...(apiKey ? [apiKey] : []), ...others.filter((value) => value.length >= 8)];
}
