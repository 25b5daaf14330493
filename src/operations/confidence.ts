/** How sure a label is: from the log-probabilities of its tokens, else from what the model says of itself. */
import type { TokenLogprob } from '../model/model.ts';

export interface Confidence {
  confidence: number | null;
  confidenceMethod: 'LOGPROBS' | 'MODEL_REPORTED' | null;
}

/** The best-founded confidence there is; never a constant. */
export function chooseConfidence(probability: number | null, reported: unknown): Confidence {
  if (probability !== null) {
    return { confidence: probability, confidenceMethod: 'LOGPROBS' };
  }
  return typeof reported === 'number' && reported >= 0 && reported <= 1
    ? { confidence: reported, confidenceMethod: 'MODEL_REPORTED' }
    : { confidence: null, confidenceMethod: null };
}

/**
 * The probability that the model gave the tokens of one top-level string value of its JSON answer: exp of the sum over
 * the tokens that overlap the text between the quotes. With `closed` the closing quote counts too, which is where a
 * value that another one begins with ("other", "other loan") parts from it.
 * Null where the tokens do not make up the answer's text, or the value cannot be found.
 */
export function valueProbability(
  answer: { text: string; logprobs: readonly TokenLogprob[] | null },
  key: string,
  closed: boolean,
): number | null {
  const span = answer.logprobs === null ? null : findString(answer.text, key);
  if (!span || answer.logprobs?.map(({ token }) => token).join('') !== answer.text) {
    return null;
  }
  const end = closed ? span.end + 1 : span.end;
  let position = 0;
  let sum = 0;
  for (const { token, logprob } of answer.logprobs) {
    if (position < end && position + token.length > span.start) {
      sum += logprob;
    }
    position += token.length;
  }
  return Number.isFinite(Math.exp(sum)) ? Math.min(1, Math.exp(sum)) : null;
}

/** Where the string value of a top-level key stands, without its quotes; the last one counts, as for JSON.parse. */
function findString(json: string, key: string): { start: number; end: number } | null {
  let depth = 0;
  let isValue = false;
  let found: { start: number; end: number } | null = null;
  for (const { 0: token, index } of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]/gs)) {
    if (token === '{' || token === '[') {
      depth += 1;
      isValue = false;
    } else if (token === '}' || token === ']') {
      depth -= 1;
    } else if (isValue) {
      found = { start: index + 1, end: index + token.length - 1 };
      isValue = false;
    } else if (
      depth === 1 &&
      /^\s*:/.test(json.slice(index + token.length, index + token.length + 20))
    ) {
      isValue = token === JSON.stringify(key);
    }
  }
  return found;
}
