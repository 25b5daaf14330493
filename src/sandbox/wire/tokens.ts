/**
 * Tokens by estimate: pieces of words, about four characters each. Near enough for usage, limits
 * and log-probabilities.
 */
import type { Decision } from '../rules/node.ts';

const charactersPerToken = 4;
/**
 * OpenAI counts these for the frame of a message. Source:
 * https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken_for_chat_completions.
 */
const tokensPerMessage = 3;

export function estimatePromptTokens(
  messages: readonly { content: string }[],
  extraText = '',
): number {
  let tokens = tokensPerMessage + Math.ceil(extraText.length / charactersPerToken);
  for (const { content } of messages) {
    tokens += tokensPerMessage + 1 + Math.ceil(content.length / charactersPerToken);
  }
  return tokens;
}

/** Pieces that join to the text again; a letter and a quotation mark never share one. */
export function tokenize(text: string): string[] {
  return text.match(/ ?[\p{L}\p{M}\p{N}_]{1,4}| ?[^\p{L}\p{M}\p{N}_\s]{1,3}|\s+/gu) ?? [];
}

/** Words with the space before them, which join to the text again. */
export function wordsOf(text: string): string[] {
  return text.match(/\s*\S+|\s+/g) ?? [];
}

export interface TokenLogprobEntry {
  token: string;
  logprob: number;
  bytes: number[];
  top_logprobs: { token: string; logprob: number; bytes: number[] }[];
}

const leastProbability = 1e-9;

/**
 * Log-probabilities by the rule's scores. The first token of a decision carries the score, all
 * others are certain: the sum over a decision's tokens is the logarithm of its score.
 */
export function tokenLogprobs(
  tokens: readonly string[],
  decisions: readonly Decision[],
  top: number,
): TokenLogprobEntry[] {
  const scoreAt = placeDecisions(tokens.join(''), decisions);
  let at = 0;
  return tokens.map((token) => {
    const end = at + token.length;
    let logprob = 0;
    for (const [place, score] of scoreAt)
      if (place >= at && place < end)
        logprob += Math.log(Math.max(leastProbability, Math.min(1, score)));
    at = end;
    const entry = { token, logprob, bytes: [...Buffer.from(token)] };
    return { ...entry, top_logprobs: top > 0 ? [entry] : [] };
  });
}

/** Offsets at which the texts of the decisions begin, of JSON strings after the quotation mark. */
function placeDecisions(content: string, decisions: readonly Decision[]): Map<number, number> {
  const places = new Map<number, number>();
  let from = 0;
  for (const { value, score } of decisions) {
    if (content === value) {
      places.set(0, score);
      continue;
    }
    const json = JSON.stringify(value);
    const at = valuePlace(content, json, from);
    if (at < 0) continue;
    places.set(typeof value === 'string' ? at + 1 : at, score);
    from = at + json.length;
  }
  return places;
}

/** A value stands after a colon, a comma or a bracket; a colon behind it would make it a key. */
function valuePlace(content: string, json: string, from: number): number {
  for (let at = content.indexOf(json, from); at >= 0; at = content.indexOf(json, at + 1)) {
    const end = content[at + json.length];
    if (/[:,[]/.test(content[at - 1] ?? '') && end !== ':') return at;
  }
  return -1;
}
