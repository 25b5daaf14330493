/**
 * Things that one model turned out not to take, learned from its 400s and kept for the life of the
 * process: reasoning models refuse temperature and log-probabilities, older servers
 * max_completion_tokens, many have no json_schema.
 *
 * A refused request is sent again without what was refused, each thing at most once a call; a
 * provider does not bill a 400. Messages, the model's name, the schema and the user's extraBody are
 * never dropped: those refusals are the item's error.
 */
import { mentions, type Refusal } from '../failure.ts';

/** The kinds of response_format, the strictest first; below them there are only words. */
export type FormatKind = 'json_schema' | 'json_object';

const droppable = ['temperature', 'top_p', 'seed', 'reasoning_effort', 'logprobs'] as const;
const limits = ['max_completion_tokens', 'max_tokens'] as const;
/**
 * Parameters that ask for the prompt cache. The last two go together: without a breakpoint the
 * explicit mode of the options caches nothing. A breakpoint stands in a message, not beside it.
 */
const caching = ['prompt_cache_key', 'prompt_cache_options', 'prompt_cache_breakpoint'] as const;
export type LimitName = (typeof limits)[number];

/** The body's keys that `learn` may change; `own` is the body without the user's extraBody. */
export type OwnParams = Readonly<Record<string, unknown>>;

/**
 * Parameters that a request of a batch may have been sent with: its refusal comes hours later,
 * maybe to another process. A refused value is not known then, and is left to the next live call to
 * learn.
 */
export const anyParams: OwnParams = {
  ...Object.fromEntries([...droppable, ...limits, ...caching].map((name) => [name, '?'])),
  response_format: { type: 'json_schema' satisfies FormatKind },
};

export interface Capabilities {
  readonly limitName: LimitName;
  /** True where a schema that goes beside the messages is shown to the model. */
  readonly showsSchema: boolean;
  /** True where the provider is OpenAI by its name, and so is known to take a cache key. */
  readonly isOpenAi: boolean;
  /** True where the model takes breakpoints for its prompt cache. */
  readonly hasBreakpoints: boolean;
  acceptsFormat(kind: FormatKind): boolean;
  accepts(param: string, value: unknown): boolean;
  /**
   * Takes in a refusal of a request whose own parameters were `own`. Returns a name for what will
   * be different next time, or null when the refusal is about nothing that we may change. A caller
   * ends its call when it gets the same name twice.
   */
  learn(refusal: Refusal, own: OwnParams): string | null;
}

/** Capabilities that know only the limit's name, and what its configuration tells of a server. */
export function createCapabilities(
  initialLimitName: LimitName,
  known: Partial<Pick<Capabilities, 'showsSchema' | 'isOpenAi' | 'hasBreakpoints'>> = {},
): Capabilities {
  const { showsSchema = true, isOpenAi = false, hasBreakpoints = false } = known;
  const refused = new Set<string>();
  let limitName = initialLimitName;

  return {
    showsSchema,
    isOpenAi,
    hasBreakpoints,
    get limitName() {
      return limitName;
    },
    acceptsFormat: (kind) => !refused.has(`response_format ${kind}`),
    accepts: (param, value) => !refused.has(param) && !refused.has(`${param}=${String(value)}`),
    learn(refusal, own) {
      const ofCaching = refusedCaching(refusal, own);
      if (ofCaching !== null) {
        refused.add(ofCaching);
        return ofCaching;
      }
      const param = refusedParam(refusal, own);
      if (param === null) return null;
      if (param === 'response_format') {
        if (isSchemaError(refusal)) return null;
        const { type } = own.response_format as { type: FormatKind };
        const name = `response_format ${type}`;
        refused.add(name);
        return name;
      }
      if (param === 'max_tokens' || param === 'max_completion_tokens') {
        // Another call learned it while this one was under way.
        if (param !== limitName) return limitName;
        const other = param === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens';
        // Called by its other name, once; never dropped, which could cost any amount of money.
        if (limitName !== initialLimitName || !isUnsupported(refusal)) return null;
        limitName = other;
        return other;
      }
      if (!isUnsupported(refusal)) {
        // Some servers take no temperature of 0 at all, and say that it must be more; others stay
        // the caller's to correct.
        if (param !== 'temperature' || own.temperature !== 0) return null;
        refused.add('temperature=0');
        return param;
      }
      // Some efforts may be refused where others are taken, so only that value is remembered.
      const isValue = param === 'reasoning_effort' && refusal.code === 'unsupported_value';
      refused.add(isValue ? `${param}=${String(own[param])}` : param);
      return param;
    },
  };
}

const candidates = ['response_format', ...limits, ...droppable, 'stream_options'];

/**
 * The part of the caching that a refusal is about. Whatever is wrong with it, it is not the
 * caller's to correct. Azure and Google name a parameter in their words alone.
 */
function refusedCaching({ status, param, message }: Refusal, own: OwnParams): string | null {
  if (status !== 400 && status !== 422) return null;
  const named = caching.find((name) => own[name] !== undefined && mentions(param ?? message, name));
  if (named) return named === 'prompt_cache_key' ? named : 'prompt_cache_options';
  // A message of parts, where a server takes text alone: of all that is sent, only the breakpoint
  // needs them.
  const [, at] = /^messages[.[](\d+)/.exec(param ?? '') ?? [];
  return at !== undefined && own.prompt_cache_breakpoint === Number(at)
    ? 'prompt_cache_options'
    : null;
}

/** Which sent parameter a refusal is about: by `param` where there is one, else by the message. */
function refusedParam(refusal: Refusal, own: OwnParams): string | null {
  const { status, param, message } = refusal;
  // OpenAI refuses log-probabilities of its first reasoning models with 403, which else means a bad
  // key.
  const isRefusal = status === 400 || status === 422;
  if (!isRefusal && !(status === 403 && mentions(param ?? message, 'logprobs'))) return null;
  const sent = candidates.filter((name) => own[name] !== undefined);
  const root = param?.split('.').at(0);
  if (root) {
    if (root === 'top_logprobs') return sent.includes('logprobs') ? 'logprobs' : null;
    return sent.includes(root) ? root : null;
  }
  const named = sent.find((name) => mentions(message, name));
  if (named) return named;
  const aboutFormat = /response[ _]format|json_schema|json_object/i.test(message);
  return aboutFormat && sent.includes('response_format') ? 'response_format' : null;
}

const unsupportedCodes = new Set([
  'unsupported_parameter',
  'unsupported_value',
  'unknown_parameter',
  'unrecognized_parameter',
  // Azure's and older servers' word.
  'unrecognized_request_argument',
  'extra_forbidden',
]);

/** Refused as such, and not for a value out of range, which is the caller's to correct. */
function isUnsupported({ status, code, param, message }: Refusal): boolean {
  if (code !== null && unsupportedCodes.has(code)) return true;
  // Some servers repeat the status or the type as the code, which says nothing; any other code is
  // decisive.
  if (code !== null && code !== String(status) && !/^(invalid_request|bad_?request)/i.test(code))
    return false;
  if (
    /must be|range|at (most|least)|(less|greater|more) than|too (large|long)|m(ax|in)imum/i.test(
      message,
    )
  )
    return false;
  if (param !== null) return true;
  return /support|recogni[sz]ed|unknown|unexpected|allowed|permitted|available|extra|deprecated/i.test(
    message,
  );
}

/** About what the schema says, and not about its being there. */
function isSchemaError(refusal: Refusal): boolean {
  const { code, param, message } = refusal;
  if (code === 'invalid_json_schema' || /invalid (json )?schema/i.test(message)) return true;
  const isInside = param?.startsWith('response_format.json_schema') ?? false;
  return isInside && !(code !== null && unsupportedCodes.has(code));
}
