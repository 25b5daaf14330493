/** The length of an operation's answers that nobody has seen yet. Pure. */
import { isRecord } from '../../core/json.ts';
import type { AnswerFormat } from '../../model/request.ts';
import type { Plan } from '../run/plan.ts';
import { mean, normalErrors } from './estimate.ts';

/** Answers of an earlier batch with the same operation and options, or of the batch's preview. */
export interface AnswerHistory {
  answers: number;
  /** Output tokens of an answer, repairs included. */
  meanTokens: number;
  deviation: number;
  requestsPerItem: number;
  /** By the same model. */
  isOwn: boolean;
  /** True of the batch's own preview. */
  isPreview: boolean;
}

export type EstimateBasis = 'FIXED' | 'PREVIEW' | 'HISTORY' | 'GUESSED';

/** Tokens of one answer on average. */
export interface AnswerEstimate {
  basis: EstimateBasis;
  expected: number;
  low: number;
  high: number;
}

/** A confidence is written with about so many digits. */
const exampleConfidence = 0.95;
const maxFixedAnswers = 2_000;

const tokensPerField = 12;
const tokensPerFrame = 4;
const tokensPerSummary = 150;
const tokensPerText = 300;
/** Factors by which guesses may be off. */
const guess = { low: 0.4, high: 2.5, thinking: 20 };
/** Another model words the same answer in another way; a later file has other texts. */
const otherModelFactor = 1.5;
const historyMargin = 0.1;

/** All that an answer can be, where options name that; else null. */
export function fixedAnswers(options: Readonly<Record<string, unknown>>): string[] | null {
  const { categories, multiLabel, allowNone } = options;
  if (!Array.isArray(categories) || multiLabel === true) return null;
  if (categories.length > maxFixedAnswers) return null;
  return [...categories, ...(allowNone === true ? [null] : [])].map((label: unknown) =>
    JSON.stringify({ label, confidence: exampleConfidence }),
  );
}

/**
 * `fixed`: the tokens of all that an answer can be. `inputTokens`: those of a prompt without its
 * fixed part. `limits`: the most that each request of the sample itself allows,
 * unless the options say it for all. `asked`: items. `margin`: how far the count of `fixed` may be
 * off, as a share.
 */
export function estimateAnswer(
  { operation, sampling }: Pick<Plan, 'operation' | 'sampling'>,
  given: {
    fixed: readonly number[] | null;
    history: AnswerHistory | null;
    inputTokens: number;
    limits: readonly number[];
    asked: number;
    margin: number;
    thinks: boolean;
    kind: string;
  },
): AnswerEstimate {
  const { fixed, history, limits, asked, margin, thinks } = given;
  const most = sampling.maxOutputTokens ?? Number.POSITIVE_INFINITY;
  const hasLimits = sampling.maxOutputTokens === undefined && limits.length > 0;
  const cut = (tokens: number) =>
    hasLimits ? mean(limits.map((limit) => Math.min(tokens, limit))) : Math.min(tokens, most);
  const within = (estimate: AnswerEstimate): AnswerEstimate => ({
    basis: estimate.basis,
    expected: cut(estimate.expected),
    low: cut(Math.max(0, estimate.low)),
    high: cut(estimate.high),
  });
  if (history) return within(fromHistory(history, { asked, isFixed: fixed !== null && !thinks }));
  if (fixed && !thinks) return within(fromAnswers(fixed, { asked, margin }));
  const expected = fixed ? mean(fixed) : guessOf(operation.format, given, most);
  const high = expected * (thinks ? guess.thinking : guess.high);
  return within({ basis: 'GUESSED', expected, low: expected * guess.low, high });
}

function fromHistory(
  { meanTokens: expected, deviation, answers, isOwn, isPreview }: AnswerHistory,
  { asked, isFixed }: { asked: number; isFixed: boolean },
): AnswerEstimate {
  // Of the mean of those, and of the mean of these.
  const error = normalErrors * deviation * Math.sqrt(1 / answers + 1 / Math.max(1, asked));
  const margin = isPreview ? 0 : historyMargin * expected;
  const half = (error + margin) * (isOwn ? 1 : otherModelFactor);
  const basis = isFixed ? 'FIXED' : isPreview ? 'PREVIEW' : 'HISTORY';
  return { basis, expected, low: expected - half, high: expected + half };
}

/** Each answer as often as any other; the range allows for some that are more frequent. */
function fromAnswers(
  tokens: readonly number[],
  { asked, margin }: { asked: number; margin: number },
): AnswerEstimate {
  const expected = mean(tokens);
  const variance = mean(tokens.map((count) => (count - expected) ** 2));
  const error = Math.sqrt(variance) * Math.max(1, normalErrors / Math.sqrt(Math.max(1, asked)));
  const low = Math.max(Math.min(...tokens), expected - error) * (1 - margin);
  const high = Math.min(Math.max(...tokens), expected + error) * (1 + margin);
  return { basis: 'FIXED', expected, low, high };
}

function guessOf(
  format: AnswerFormat,
  { kind, inputTokens }: { kind: string; inputTokens: number },
  most: number,
): number {
  if (kind === 'summarize') return Math.min(tokensPerSummary, Math.max(1, inputTokens / 3));
  if (kind === 'run' || kind === 'chat') return Math.min(tokensPerText, most);
  const fields = format.type === 'json' ? fieldsOf(format.schema) : 1;
  return tokensPerFrame + tokensPerField * fields;
}

/** Members that have no members themselves. */
function fieldsOf(schema: unknown): number {
  if (!isRecord(schema)) return 1;
  const { properties, items } = schema;
  if (isRecord(properties)) {
    const inner = Object.values(properties).map(fieldsOf);
    return Math.max(
      1,
      inner.reduce((sum, fields) => sum + fields, 0),
    );
  }
  return items === undefined ? 1 : fieldsOf(items);
}

/**
 * True where a model thinks before it answers unless it is told not to. gpt-5.1 and its successors
 * do so only when asked.
 */
export function thinks(name: string, { sampling }: Pick<Plan, 'sampling'>): boolean {
  const { reasoningEffort: effort, extraBody } = sampling;
  if (effort === 'none') return false;
  const thinking = extraBody?.thinking;
  if (isRecord(thinking)) return thinking.type !== 'disabled';
  const model = name.toLowerCase();
  if (/(^|\/)gpt-5\.\d/.test(model)) return effort !== undefined;
  if (/(^|\/)gpt-5(?!.*chat)/.test(model)) return true;
  return /(^|\/)o\d|gpt-oss|deepseek-r|reason|think|qwq|magistral|grok-4|gemini-(2\.5-pro|3)/.test(
    model,
  );
}
