/**
 * Things that one Claude model turned out not to take, learned from its 400s and kept for the life
 * of the process: newer models refuse temperature and top_p, older ones the output format and the
 * effort, those that always think a forced tool.
 *
 * As in ../openai/capabilities.ts: a refused request is sent again without what was refused, each
 * thing at most once a call; a provider does not bill a 400. Anthropic's errors have neither a code
 * nor a parameter's name: what a refusal is about stands in its words alone.
 */
import { mentions, type Refusal } from '../failure.ts';
import type { JsonSchema } from '../request.ts';

/**
 * The way in which a model is held to JSON, the strictest first: by format, by a forced tool, by
 * words.
 */
export type AnswerMode = 'format' | 'tool' | 'words';

/** Parts of a request that may be left out. */
export interface Sent {
  /** Null where no JSON was asked for. */
  answerMode: AnswerMode | null;
  /** Null where it is not known. */
  schema: JsonSchema | null;
  /** Those of temperature, top_p and effort that we set, with their values. */
  sampling: Readonly<Record<string, unknown>>;
  /** The `cache_control` of its one mark; null without one. */
  cacheControl: Readonly<Record<string, unknown>> | null;
}

/** Parts that a request of a batch may have had: its results do not say which one had what. */
export const anySent: Sent = {
  answerMode: 'format',
  schema: null,
  sampling: { temperature: 'any', top_p: 'any', effort: 'any' },
  cacheControl: { type: 'ephemeral', ttl: 'any' },
};

export interface Capabilities {
  /** True where a schema that goes beside the messages is shown to the model. */
  readonly showsSchema: boolean;
  takesMode(answerMode: AnswerMode, schema: JsonSchema): boolean;
  takes(param: string, value: unknown): boolean;
  /** As OpenAI's: a name for what will be different, null where nothing of ours was refused. */
  learn(refusal: Refusal, sent: Sent): string | null;
}

export function createCapabilities(showsSchema = true): Capabilities {
  const refused = new Set<string>();
  /** Schemas that the model takes no output format, or no tool, for; it takes others. */
  const schemas = { format: new WeakSet<JsonSchema>(), tool: new WeakSet<JsonSchema>() };

  function learnMode(message: string, { answerMode, schema }: Sent): string | null {
    if ((answerMode !== 'format' && answerMode !== 'tool') || !isAbout[answerMode].test(message))
      return null;
    if (!isAboutSchema.test(message)) refused.add(answerMode);
    else if (schema) schemas[answerMode].add(schema);
    else return null;
    return answerMode;
  }

  return {
    showsSchema,
    takesMode: (answerMode, schema) =>
      answerMode === 'words' || !(refused.has(answerMode) || schemas[answerMode].has(schema)),
    takes: (param, value) => !refused.has(param) && !refused.has(`${param}=${String(value)}`),
    learn(refusal, sent) {
      if (refusal.status !== 400 && refusal.status !== 422) return null;
      const message = refusal.message.slice(0, maxSearchedChars);
      const ofCaching = refusedCaching(message, sent);
      if (ofCaching !== null) {
        refused.add(ofCaching);
        return ofCaching;
      }
      // Where two are refused together, the second one goes: temperature is the one that people set
      // on purpose.
      for (const param of ['top_p', 'temperature', 'effort']) {
        const value = sent.sampling[param];
        if (value === undefined || !mentions(message, param) || isOutOfRange(message)) continue;
        // Of the efforts a model may know some: only that one is remembered.
        const isValue = param === 'effort' && /input should be/i.test(message);
        refused.add(isValue ? `${param}=${String(value)}` : param);
        return param;
      }
      return learnMode(message, sent);
    },
  };
}

const maxSearchedChars = 2_000;

/** The refused part of the mark; never the caller's to correct. */
function refusedCaching(message: string, { cacheControl }: Sent): string | null {
  if (cacheControl === null) return null;
  const isAboutMark = mentions(message, 'cache_control');
  if (isAboutMark && cacheControl.ttl !== undefined && mentions(message, 'ttl')) return 'ttl';
  return isAboutMark || isAboutBlocks.test(message) ? 'cache_control' : null;
}

/** A server that takes text alone, where only the mark needs a list of blocks. */
const isAboutBlocks = /\b(system|content)\b.{0,60}\bstring\b/i;

const isAbout = {
  format: /output_config|output[ _]format|structured output|json_schema|\bschema\b|grammar/i,
  tool: /tool_choice|\btools?\b|input_schema|\bschema\b/i,
};

/** About what the schema says, or how large it is, and not about its being there. */
const isAboutSchema =
  /\bschema\b(?!['"]?:? (is|are) not supported)|input_schema|grammar|too complex|compil/i;

/** A value that the caller must correct. */
function isOutOfRange(message: string): boolean {
  return /(less|greater) than|at (most|least)|range|valid (number|integer)|must be between/i.test(
    message,
  );
}
