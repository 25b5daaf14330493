/** Counts the prompts of a sample of items, as each of some models would count them. */
import { setImmediate } from 'node:timers/promises';
import { ItemFailure } from '../../core/errors.ts';
import type { Counter } from '../../counting/counter.ts';
import { type Encoding, type ModelTokenizer, tokenizerOf } from '../../counting/model-tokenizer.ts';
import type { PromptItem } from '../../operations/operation.ts';
import { modelOf, type Plan, promptOf } from '../run/plan.ts';
import { type Frame, frames } from '../run/prompt-frames.ts';
import { answerLimit, type PromptParts, partsOf } from './prompt-parts.ts';

/** The event loop does something else after so much work of ours. */
const sliceMs = 2;

/** Counts of a sample's prompts with one model, in tokens. */
export interface PromptCounts {
  tokenizer: ModelTokenizer;
  /** Tokens of each prompt that was counted. */
  prompts: number[];
  /** For each of these the most tokens that its own request allows an answer, or Infinity. */
  answerLimits: number[];
  /** True where some request names a model that is not this one. */
  namesOther: boolean;
  /** At the beginning of every prompt. */
  prefix: number;
  /** The part of it that is whole messages. */
  wholePrefix: number;
  /** Tokens of each text in `answers`. */
  answers: number[];
}

export interface CountedSample {
  /** Counts for each model, in the order of the plans. */
  models: PromptCounts[];
  /** Items that were looked at. */
  seen: number;
  /** Number of those that have the prompt of an earlier one; their prompts are left out. */
  repeated: number;
  /** Number of those that cannot be asked. */
  unaskable: number;
  /** Number of these that have an earlier one that is equal in all that is taken. */
  unaskableTwins: number;
  hasMedia: boolean;
}

/** An item's prompt by the places of its texts. */
interface Prompt {
  messages: number;
  texts: number[];
  extraTokens: number;
  answerLimit: number;
}

/**
 * `plans` differ in their models alone. `items` come in the order in which they are counted, for as
 * long as there is time. `answers` are texts that are counted as well. `distinct`: of items
 * with the same prompt, one is counted.
 */
export async function countPrompts(
  counter: Counter,
  {
    plans,
    items,
    answers,
    distinct,
    patient,
  }: {
    plans: readonly Plan[];
    items: AsyncIterable<readonly PromptItem[]>;
    answers: readonly string[];
    distinct: boolean;
    patient: boolean;
  },
): Promise<CountedSample> {
  const texts = createTexts();
  /** Kept for the common beginning of what differs, which is known at the end. */
  const beginningAt = texts.reserve();
  const answersAt = answers.map((text) => texts.add(text));
  const prompts: Prompt[] = [];
  let bodies: PromptParts[] | null = null;
  const known = new Set<string>();
  const knownUnaskable = new Set<string>();
  const namesOther = plans.map(() => false);
  let [seen, unaskable, repeated, hasMedia] = [0, 0, 0, false];
  let sliceEnd = performance.now() + sliceMs;
  for await (const some of items) {
    for (const item of some) {
      seen += 1;
      const parts = plans[0] ? promptParts(plans[0], item) : null;
      if (parts) {
        bodies ??= plans.map((plan) => bodyParts(plan, item));
        for (const body of prompts.length === 0 ? bodies : []) body.texts.map(texts.add);
        hasMedia ||= parts.hasMedia;
        plans.forEach((plan, index) => {
          namesOther[index] ||= isForAnother(plan, item);
        });
        const prompt = { ...parts, texts: parts.texts.map(texts.add) };
        const key = [prompt.answerLimit, ...prompt.texts].join();
        if (distinct && known.has(key)) repeated += 1;
        else prompts.push(prompt);
        known.add(key);
      } else {
        unaskable += 1;
        if (plans[0]) knownUnaskable.add(takenOf(plans[0], item));
      }
      if (performance.now() < sliceEnd) continue;
      await setImmediate();
      sliceEnd = performance.now() + sliceMs;
    }
  }
  const shared = sharedTexts(prompts);
  texts.set(beginningAt, commonBeginning(prompts, shared, texts));
  const tokenizers = plans.map(({ model }) => tokenizerOf(model.provider, model.name));
  const encodings: Encoding[] = [...new Set(tokenizers.map(({ encoding }) => encoding))];
  const counted = await counter.count({ encodings, texts: texts.all }, { patient });
  const inTime = prompts.filter((prompt) => prompt.texts.every((at) => at < counted.texts));
  // Those that cannot be asked are as frequent among the ones that time did not suffice for.
  const share = prompts.length === 0 ? 1 : inTime.length / prompts.length;
  return {
    models: plans.map(({ model }, index) => {
      const tokenizer = tokenizers[index] as ModelTokenizer;
      const tokens = counted.tokens[tokenizer.encoding] ?? new Uint32Array();
      const of = (at: number) => (tokens[at] ?? 0) * tokenizer.factor;
      const frame = frames[model.dialect];
      const body = bodies?.[index];
      const first = prompts[0];
      const extra =
        body && first
          ? tokensOf({ ...body, texts: body.texts.map(texts.add) }, frame, of) -
            tokensOf(first, frame, of)
          : 0;
      const wholePrefix = first
        ? extra +
          frame.prompt +
          first.extraTokens +
          Math.min(shared, first.messages) * frame.message +
          first.texts.slice(0, shared).reduce((sum, at) => sum + of(at), 0)
        : 0;
      // The last token may go on into what differs.
      const beginning = Math.max(0, Math.floor(of(beginningAt)) - 1);
      return {
        tokenizer,
        prompts: inTime.map((prompt) => extra + tokensOf(prompt, frame, of)),
        answerLimits: inTime.map((prompt) => prompt.answerLimit),
        namesOther: namesOther[index] ?? false,
        prefix: Math.floor(wholePrefix) + beginning,
        wholePrefix: Math.floor(wholePrefix),
        answers: answersAt.map(of),
      };
    }),
    seen: Math.round(seen * share),
    unaskable: Math.round(unaskable * share),
    unaskableTwins: Math.round((unaskable - knownUnaskable.size) * share),
    repeated: Math.round(repeated * share),
    hasMedia,
  };
}

function tokensOf(
  { messages, texts, extraTokens }: Omit<Prompt, 'answerLimit'>,
  frame: Frame,
  of: (at: number) => number,
): number {
  let tokens = frame.prompt + messages * frame.message + extraTokens;
  for (const at of texts) tokens += of(at);
  return tokens;
}

/** All that an operation takes of an item: what is equal in it is asked once. */
export function takenOf({ operation: { takes } }: Plan, item: PromptItem): string {
  if (!takes) return JSON.stringify(item);
  const { content, metadata } = item;
  return JSON.stringify([
    takes.content ? content : null,
    takes.fields.map((name) => metadata?.[name] ?? null),
    takes.metadata ? metadata : null,
  ]);
}

/** Null where the item cannot be asked. */
function promptParts(
  { operation }: Plan,
  item: PromptItem,
): (PromptParts & Pick<Prompt, 'answerLimit'>) | null {
  try {
    const prompt = promptOf(operation, item);
    if ('body' in prompt) {
      const parts = partsOf(prompt.body, prompt.dialect ?? 'openai');
      return { ...parts, answerLimit: answerLimit(prompt.body) };
    }
    const texts = prompt.messages.map(({ content }) => content);
    const answers = { answerLimit: Number.POSITIVE_INFINITY };
    return { messages: texts.length, texts, extraTokens: 0, hasMedia: false, ...answers };
  } catch (error) {
    if (error instanceof ItemFailure) return null;
    throw error;
  }
}

/** True where a complete request goes to a model that is not the one of `plan`. */
function isForAnother(plan: Plan, item: PromptItem): boolean {
  if (plan.modelOf === null || item.request?.model == null) return false;
  try {
    return modelOf(plan, item).model.id !== plan.model.id;
  } catch (error) {
    if (error instanceof ItemFailure) return true;
    throw error;
  }
}

/**
 * The texts that one model is sent for an item: with the schema, in the way in which this model
 * takes it.
 */
function bodyParts(plan: Plan, item: PromptItem): PromptParts {
  const prompt = promptOf(plan.operation, item);
  if ('body' in prompt) return partsOf(prompt.body, prompt.dialect ?? 'openai');
  return partsOf(plan.model.bodyOf({ ...plan.sampling, ...prompt }), plan.model.dialect);
}

/** Each text once, by its place. */
function createTexts() {
  const all: string[] = [];
  const places = new Map<string, number>();
  return {
    all,
    reserve: () => all.push('') - 1,
    set(at: number, text: string) {
      all[at] = text;
    },
    add(text: string): number {
      const known = places.get(text);
      if (known !== undefined) return known;
      places.set(text, all.length);
      return all.push(text) - 1;
    },
  };
}

/** Number of texts that all prompts begin with, without the last one, which is the item. */
function sharedTexts(prompts: readonly Prompt[]): number {
  const [first] = prompts;
  if (!first) return 0;
  let shared = first.texts.length - 1;
  for (const { texts } of prompts) {
    shared = Math.min(shared, texts.length - 1);
    for (let at = 0; at < shared; at += 1) if (texts[at] !== first.texts[at]) shared = at;
  }
  return Math.max(0, shared);
}

/** The beginning of the first texts that differ. */
function commonBeginning(
  prompts: readonly Prompt[],
  shared: number,
  { all }: { all: readonly string[] },
): string {
  const differing = prompts.map(({ texts }) => all[texts[shared] ?? -1] ?? '');
  const [first = '', ...others] = differing;
  if (others.every((text) => text === first)) return '';
  let length = first.length;
  for (const text of others) {
    length = Math.min(length, text.length);
    for (let at = 0; at < length; at += 1) if (text[at] !== first[at]) length = at;
  }
  return first.slice(0, length);
}
