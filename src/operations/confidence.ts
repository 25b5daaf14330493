/** Confidence of a label, by its tokens' log-probabilities, else by the model's own report. */
import type { TokenLogprob } from '../model/model.ts';
import type { JsonPiece } from './json-objects.ts';

export interface Confidence {
  confidence: number | null;
  confidenceMethod: 'LOGPROBS' | 'MODEL_REPORTED' | null;
}

/** A model that says less than this of its choice does not stand by it. */
const doubt = 0.5;

/**
 * The best-founded confidence there is; never a constant. `forced`: the model had to choose, and
 * where nothing fits, the tokens of what it chose are likely all the same; then a doubt that it
 * wrote goes before their probability.
 */
export function chooseConfidence(
  probability: number | null,
  reported: unknown,
  { forced = false } = {},
): Confidence {
  const said = shareOf(reported);
  if (probability !== null && !(forced && said !== null && said < doubt)) {
    return { confidence: probability, confidenceMethod: 'LOGPROBS' };
  }
  return said === null
    ? { confidence: null, confidenceMethod: null }
    : { confidence: said, confidenceMethod: 'MODEL_REPORTED' };
}

/** A number from 0 to 1, also as text; else null. */
function shareOf(reported: unknown): number | null {
  const isText = typeof reported === 'string' && /^\s*\d*\.?\d+\s*$/.test(reported);
  const share = isText ? Number(reported) : reported;
  return typeof share === 'number' && share >= 0 && share <= 1 ? share : null;
}

/**
 * The probability that the model gave the tokens of one top-level string value of its JSON answer:
 * exp of the sum over the tokens that overlap the text between the quotes. With `closed` the
 * closing quote counts too, which is where a value that another one begins with ("other", "other
 * loan") parts from it. The JSON is that piece of the answer. Null where the tokens do not make up
 * the answer's text, or the value cannot be found.
 */
export function valueProbability(
  answer: { text: string; logprobs: readonly TokenLogprob[] | null },
  json: JsonPiece,
  { key, closed }: { key: string; closed: boolean },
): number | null {
  const span = answer.logprobs === null ? null : findString(json, key);
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

/** Position of the string value of a top-level key, without quotes. The last key counts. */
function findString(
  { at, text: json }: JsonPiece,
  key: string,
): { start: number; end: number } | null {
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
      found = { start: at + index + 1, end: at + index + token.length - 1 };
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
