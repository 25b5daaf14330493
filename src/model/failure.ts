/**
 * Tells what a caller should do about a provider's refusal: wait, give up this item, or stop the
 * batch. Codes decide; a message's words count only where the provider sent no code.
 */
import type { BatchErrorCode, ItemErrorCode } from '../core/errors.ts';
import { ModelError, type ModelErrorKind } from './model-error.ts';

/** An error answer, in OpenAI's terms. `code` is null when absent. */
export interface Refusal {
  status: number;
  code: string | null;
  type: string | null;
  param: string | null;
  /** The provider's words, not yet fit to be shown. */
  message: string;
  /** OpenRouter's 403 for one input that a moderation stopped, as in `metadata.reasons`. */
  moderated: boolean;
}

/** The refusal in `error`, the `error` of an OpenAI error body. */
export function toRefusal(status: number, error: unknown): Refusal {
  const fields: Record<string, unknown> =
    typeof error === 'object' && error !== null
      ? (error as Record<string, unknown>)
      : { message: error };
  const code = fields.code;
  const message = fields.message;
  return {
    status,
    code: typeof code === 'string' || typeof code === 'number' ? String(code) || null : null,
    type: typeof fields.type === 'string' ? fields.type : null,
    param: typeof fields.param === 'string' && fields.param ? fields.param : null,
    message: typeof message === 'string' ? message : message == null ? '' : JSON.stringify(message),
    moderated: isModeration(fields.metadata),
  };
}

function isModeration(metadata: unknown): boolean {
  if (typeof metadata !== 'object' || metadata === null) return false;
  const { reasons, flagged_input } = metadata as Record<string, unknown>;
  return Array.isArray(reasons) || typeof flagged_input === 'string';
}

/** `quote` cuts the provider's words to what may be shown; `retryAfterMs` is from its headers. */
export function classify(
  refusal: Refusal,
  {
    provider,
    quote,
    retryAfterMs,
  }: { provider: string; quote: (message: string) => string; retryAfterMs: number | null },
): ModelError {
  const failure = kindOf(refusal, retryAfterMs);
  // A bad key is what it is about, and some servers repeat it in parts that no pattern finds.
  const isAboutKey =
    refusal.status === 401 || (failure.code === 'INVALID_KEY' && refusal.status < 403);
  const words = isAboutKey ? '' : quote(refusal.message);
  const code = refusal.code && refusal.code !== String(refusal.status) ? quote(refusal.code) : '';
  const status = code ? `${refusal.status} ${code}` : String(refusal.status);
  // A country, an organisation or a permission: the key itself may be good.
  const isForbidden = refusal.status === 403 && failure.code === 'INVALID_KEY';
  const summary = isForbidden ? 'refused access' : (summaries[failure.code] ?? 'failed');
  const sentence = `${provider} ${summary} (${status})`;
  const param = /^[\w.[\]-]{1,100}$/.exec(refusal.param ?? '')?.[0] ?? null;
  const told = words ? `${sentence}: ${words}` : `${sentence}.`;
  return new ModelError(failure, told, { param, isFree: true });
}

const summaries: Partial<Record<ItemErrorCode | BatchErrorCode, string>> = {
  RATE_LIMITED: 'asks to slow down',
  TIMEOUT: 'took too long',
  PROVIDER_ERROR: 'failed',
  INVALID_REQUEST: 'refused the request',
  CONTEXT_TOO_LONG: 'found the request too long for the model',
  CONTENT_FILTERED: 'stopped the request by its content filter',
  INVALID_KEY: 'refused the API key',
  QUOTA_EXHAUSTED: 'says that the quota is used up',
  UNKNOWN_MODEL: 'does not have this model or address',
};

const quotaCodes = new Set([
  'insufficient_quota',
  'insufficient_credits',
  'insufficient_balance',
  'insufficient_user_quota',
  'billing_hard_limit_reached',
  'billing_not_active',
  'billing_error',
  'quota_exceeded',
  // Groq, at a spend limit; LiteLLM, at a key's budget.
  'blocked_api_access',
  'budget_exceeded',
]);
const keyCodes = new Set(['invalid_api_key', 'account_deactivated', 'access_terminated']);
const modelCodes = new Set([
  'model_not_found',
  'model_not_available',
  'model_decommissioned',
  'invalid_model',
  'DeploymentNotFound',
]);
const contextCodes = new Set([
  'context_length_exceeded',
  'string_above_max_length',
  'request_too_large',
]);
const contentCodes = new Set([
  'content_filter',
  'content_policy_violation',
  'ResponsibleAIPolicyViolation',
  'invalid_prompt',
  'data_inspection_failed',
]);

function kindOf(refusal: Refusal, retryAfterMs: number | null): ModelErrorKind {
  const { status, code, type, param, message } = refusal;
  const says = (codes: ReadonlySet<string>) =>
    (code !== null && codes.has(code)) || (type !== null && codes.has(type));
  // Some servers repeat the status as the code, and xAI has a sentence there.
  const hasCode = code !== null && code !== String(status) && !/\s/.test(code);
  const later = (name: 'RATE_LIMITED' | 'TIMEOUT' | 'PROVIDER_ERROR'): ModelErrorKind => ({
    kind: 'later',
    code: name,
    retryAfterMs,
    counts: name !== 'RATE_LIMITED',
  });

  if (status === 402 || says(quotaCodes)) return { kind: 'batch', code: 'QUOTA_EXHAUSTED' };
  if (says(modelCodes)) return { kind: 'batch', code: 'UNKNOWN_MODEL' };
  if (status === 413 || says(contextCodes)) return { kind: 'item', code: 'CONTEXT_TOO_LONG' };
  // Before the status: a 401 or 403 about one input says nothing about the key.
  if (refusal.moderated || says(contentCodes)) return { kind: 'item', code: 'CONTENT_FILTERED' };
  if (
    !hasCode &&
    status === 403 &&
    /\bflagged\b|moderation|content[ _](policy|filter)/i.test(message)
  ) {
    return { kind: 'item', code: 'CONTENT_FILTERED' };
  }
  if (status === 401 || status === 403 || says(keyCodes)) {
    return { kind: 'batch', code: 'INVALID_KEY' };
  }
  if (status === 404 || status === 405 || status === 410) {
    return { kind: 'batch', code: 'UNKNOWN_MODEL' };
  }
  if (status === 429) {
    // One request above the limit per minute would be asked again for ever: waiting costs no
    // attempt.
    if (type === 'tokens' && message.startsWith('Request too large')) {
      return { kind: 'item', code: 'CONTEXT_TOO_LONG' };
    }
    return later('RATE_LIMITED');
  }
  if (status === 408 || status === 504 || status === 524) return later('TIMEOUT');
  if (status === 409 || status === 425 || status >= 500) return later('PROVIDER_ERROR');
  // A redirect is a wrong base URL, which may be in the middle of a move.
  if (status < 400) return later('PROVIDER_ERROR');
  if (status === 400 && param === 'model') return { kind: 'batch', code: 'UNKNOWN_MODEL' };
  if (!hasCode && /credit balance is too low/i.test(message)) {
    return { kind: 'batch', code: 'QUOTA_EXHAUSTED' };
  }
  // Google and xAI refuse a key with 400, OpenRouter a model.
  if (!hasCode && /(incorrect|invalid) api key|api key (not valid|expired)/i.test(message)) {
    return { kind: 'batch', code: 'INVALID_KEY' };
  }
  if (
    !hasCode &&
    /is not a valid model|\bmodel\b.{0,200} (does not exist|not found)/i.test(message)
  ) {
    return { kind: 'batch', code: 'UNKNOWN_MODEL' };
  }
  if (
    !hasCode &&
    /context (length|window|size)|prompt is too long|too many tokens/i.test(message)
  ) {
    return { kind: 'item', code: 'CONTEXT_TOO_LONG' };
  }
  return { kind: 'item', code: 'INVALID_REQUEST' };
}

/** True where a text has the name of a parameter, as a word of its own. */
export function mentions(text: string, name: string): boolean {
  return new RegExp(`(?<![A-Za-z0-9_])${name}(?![A-Za-z0-9_])`).test(text);
}
