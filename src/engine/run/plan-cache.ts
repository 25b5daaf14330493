/**
 * The decision whether the prompts of a plan are marked for the provider's prompt cache: where
 * their common beginning is long enough to be kept, enough requests follow, and the cache is really
 * read.
 */
import { createHash } from 'node:crypto';
import { createRecent } from '../../core/recent.ts';
import type { Tokens } from '../../core/usage.ts';
import { estimatePrefixTokens } from '../../model/estimate.ts';
import { type Clock, systemClock } from '../../model/limits/clock.ts';
import type { Model } from '../../model/model.ts';
import type { CacheMark } from '../../model/prompt-cache.ts';
import type { PromptRequest, Sampling } from '../../model/request.ts';
import type { Telling } from '../../telemetry/events.ts';
import { createPriming, type Priming } from './priming.ts';

/** So many answers that wrote, while none read, and the marks cost more than they save. */
const maxVainWrites = 50;
/** Providers forget what nobody has read for five minutes: writing it then is not in vain. */
const keptMs = 4 * 60_000;
/** USD that priming must save, or the others do not wait. */
const minSavedUsd = 0.01;
/** Beginnings that a process remembers. */
const maxBeginnings = 1_000;

/** The prompt cache as one plan uses it. */
export interface PlanCache {
  /** Mark of the next request; null where it goes without. */
  readonly mark: CacheMark | null;
  /** Null where calls do not wait for a first one. */
  readonly priming: Priming | null;
  /** Takes in a live answer. `sentAt`: when its request went out, by `performance.now()`. */
  answered(tokens: Tokens, sentAt: number): void;
  /** Takes in an answer of a provider job, whose requests go out in an order that is not known. */
  answeredInJob(tokens: Tokens): void;
  /** All answers of a job have been taken in. */
  jobEnded(): void;
}

/** A process's knowledge of the beginnings of its prompts, by their keys. */
export interface PlanCaches {
  /**
   * For a plan, by one of its prompts. Null where its requests go without marks. A promise, which
   * never rejects, only where the beginning has to be counted.
   */
  open(
    plan: Bound,
    prompt: Prompt,
    options: { isAsked: boolean; atOnce: number },
  ): PlanCache | null | Promise<PlanCache | null>;
}

/** Tokens of a beginning, as its model counts them. */
export type CountPrefix = (
  model: Pick<Model, 'provider' | 'name' | 'dialect'>,
  beginning: Prompt,
) => Promise<number>;

/** The part of a plan that all its requests have. */
interface Bound {
  model: Model;
  sampling: Sampling;
}

type Prompt = Pick<PromptRequest, 'messages' | 'format'>;

/** Knowledge of one beginning. */
interface Beginning {
  readonly priming: Priming;
  /** Its tokens: a promise while they are counted, null where nobody has. */
  tokens: number | Promise<number> | null;
  /** Answers that wrote since the last one that read. */
  vainWrites: number;
  /** The first and the last answer of a time in which the provider has kept it. */
  keptFrom: number;
  keptTo: number;
  /** Nothing is marked any more. */
  isGivenUp: boolean;
}

export function createPlanCaches({
  countPrefix,
  events,
  clock = systemClock,
}: {
  /** Absent: only a beginning that is long enough by any count is marked. */
  countPrefix?: CountPrefix | undefined;
  events?: Telling | undefined;
  clock?: Clock | undefined;
}): PlanCaches {
  const beginnings = createRecent<Beginning>(maxBeginnings);

  function beginningOf(key: string): Beginning {
    const known = beginnings.get(key);
    if (known) return known;
    const never = Number.NEGATIVE_INFINITY;
    const made: Beginning = {
      priming: createPriming(clock),
      tokens: null,
      vainWrites: 0,
      keptFrom: never,
      keptTo: never,
      isGivenUp: false,
    };
    beginnings.set(key, made);
    return made;
  }

  /** At least so many where they cannot be counted. */
  async function count(
    beginning: Beginning,
    { model }: Bound,
    { prompt, least }: { prompt: Prompt; least: number },
  ): Promise<number> {
    if (!countPrefix) return least;
    try {
      beginning.tokens ??= countPrefix(model, prompt);
      beginning.tokens = await beginning.tokens;
      return beginning.tokens;
    } catch {
      // Too many count at once: the next plan with this beginning asks again.
      beginning.tokens = null;
      return least;
    }
  }

  return {
    open(plan, { messages, format }, { isAsked, atOnce }) {
      const { model } = plan;
      const { leastTokens = null, writeOverReadPrice = null } = model.promptCache ?? {};
      const prompt = { messages: messages.slice(0, -1), format };
      const { least, most } = estimatePrefixTokens(prompt);
      const needed = isAsked ? 0 : (leastTokens ?? Number.POSITIVE_INFINITY);
      if (most < needed) return null;
      const key = keyOf(plan, prompt);
      const beginning = beginningOf(key);
      const mark: CacheMark = { key, messages: prompt.messages.length, isAsked };
      const giveUp = () => {
        beginning.isGivenUp = true;
        events?.emit('caching.ended', { model: model.id, answers: beginning.vainWrites });
      };
      const openFor = (tokens: number) => {
        if (tokens < needed) return null;
        const savedUsd = (tokens * (writeOverReadPrice ?? 0) * atOnce) / 1e6;
        return createPlanCache(beginning, { mark, isPrimed: savedUsd > minSavedUsd, giveUp });
      };
      if (typeof beginning.tokens === 'number') return openFor(beginning.tokens);
      if (least >= needed) return openFor(least);
      return count(beginning, plan, { prompt, least }).then(openFor);
    },
  };
}

function createPlanCache(
  beginning: Beginning,
  { mark, isPrimed, giveUp }: { mark: CacheMark; isPrimed: boolean; giveUp: () => void },
): PlanCache {
  const { priming } = beginning;
  const job = { writes: 0, reads: 0 };
  return {
    get mark() {
      return beginning.isGivenUp ? null : mark;
    },
    get priming() {
      return isPrimed && !beginning.isGivenUp ? priming : null;
    },
    answered(tokens, sentAt) {
      priming.answered();
      if (isVainWrite(beginning, tokens, sentAt)) beginning.vainWrites += 1;
      if (beginning.vainWrites >= maxVainWrites && !beginning.isGivenUp) giveUp();
    },
    answeredInJob(tokens) {
      if (tokens.cachedInputTokens > 0) job.reads += 1;
      else if (tokens.cacheWriteTokens > 0) job.writes += 1;
    },
    jobEnded() {
      if (job.reads > 0 || job.writes < maxVainWrites || beginning.isGivenUp) return;
      beginning.vainWrites = job.writes;
      giveUp();
    },
  };
}

/**
 * True where an answer wrote what it should have read: its request went out after the provider had
 * answered another one. Requests that go out together all write.
 */
function isVainWrite(beginning: Beginning, tokens: Tokens, sentAt: number): boolean {
  const { cachedInputTokens, cacheWriteTokens } = tokens;
  if (cachedInputTokens === 0 && cacheWriteTokens === 0) return false;
  const now = performance.now();
  if (sentAt - beginning.keptTo > keptMs) beginning.keptFrom = now;
  beginning.keptTo = now;
  if (cachedInputTokens > 0) {
    beginning.vainWrites = 0;
    return false;
  }
  return sentAt > beginning.keptFrom;
}

/** 32 hexadecimal digits of all that the requests of a plan have in common. */
function keyOf({ model, sampling }: Bound, { messages, format }: Prompt): string {
  const common = JSON.stringify([model.id, messages, format, sampling]);
  return createHash('sha256').update(common).digest('hex').slice(0, 32);
}
