/** By which tokenizer a model's tokens are counted, and how well that fits. Pure. */

/** A file in vocabularies/. */
export type Encoding = 'o200k' | 'cl100k' | 'claude';

export interface ModelTokenizer {
  encoding: Encoding;
  /** Tokens of the model for a token of the encoding. */
  factor: number;
  /** The encoding is the model's own; else it resembles it. */
  exact: boolean;
}

/** ai-tokenizer measured it against Anthropic's own counts for Claude 3 to 4.5. */
const claudeFactor = 1.1;
/**
 * Models from 4.7 on have another tokenizer, of about 30 % more tokens:
 * https://docs.claude.com/en/docs/about-claude/models/whats-new
 */
const laterClaudeFactor = 1.3;

/** The encodings that resemble a family's tokenizer most; measured by ai-tokenizer. */
const families: readonly [name: RegExp, encoding: Encoding, factor: number][] = [
  [/gemini|gemma/, 'o200k', 1.08],
  [/deepseek/, 'o200k', 1],
  [/qwen|qwq/, 'cl100k', 1],
  [/mistral|mixtral|codestral|devstral|magistral|ministral/, 'cl100k', 1],
  [/llama-?4|llama-?3\.3/, 'claude', claudeFactor],
  [/llama/, 'cl100k', 1],
];

/** `name` is the model's without its provider. */
export function tokenizerOf(provider: string, name: string): ModelTokenizer {
  const model = name.toLowerCase();
  if (model.includes('claude')) {
    const factor = isLaterClaude(model) ? claudeFactor * laterClaudeFactor : claudeFactor;
    return { encoding: 'claude', factor, exact: false };
  }
  const family = families.find(([pattern]) => pattern.test(model));
  if (family) return { encoding: family[1], factor: family[2], exact: false };
  if (/(^|\/)gpt-(3\.5|4(?![.o\d]))/.test(model)) return exactly('cl100k');
  const isOpenAis = /(^|\/)(gpt-|chatgpt|o\d)/.test(model);
  // Deployments of Azure have any name; OpenAI serves nothing else.
  if (isOpenAis || provider === 'openai' || provider === 'azure') return exactly('o200k');
  return { encoding: 'o200k', factor: 1, exact: false };
}

function exactly(encoding: Encoding): ModelTokenizer {
  return { encoding, factor: 1, exact: true };
}

/** 4.7, 5 and later. The version stands behind the name or, in older ids, before it. */
function isLaterClaude(model: string): boolean {
  const found = /claude-(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2})(?!\d))?(?!\d)/.exec(model);
  if (!found) return false;
  const major = Number(found[1]);
  return major > 4 || (major === 4 && Number(found[2] ?? 0) >= 7);
}
