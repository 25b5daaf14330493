/**
 * The one road from an item to its answer: prompt, model, parse. Synchronous mutations (answer-items.ts) and the worker both
 * drive an ItemRun one request at a time, so that waiting, order and limits are theirs, and what an answer means is said here alone.
 */
import {
  type BatchErrorCode,
  InvalidOutput,
  type ItemError,
  ItemFailure,
  internalError,
} from './errors.ts';
import {
  type ChatMessage,
  type Model,
  type ModelAnswer,
  ModelError,
  type Permit,
} from './model/model.ts';
import { laterDelayMs, maxCountedTries } from './model/retry.ts';
import type { PromptItem } from './operations/operation.ts';
import { createPrompt, modelOf, type Plan, type Prompt, promptLength } from './plan.ts';
import { rejectedAnswer } from './rejected-answer.ts';

/** What an item has cost so far. USD null while no request had a known price. */
export interface RunUsage {
  requests: number;
  inputTokens: number;
  cachedInputTokens: number;
  outputTokens: number;
  costUsd: number | null;
}

/** The final answer of an item. */
export interface ItemAnswer {
  /** Requests whose answer counted against the item; a 429 is none. */
  attempts: number;
  usage: RunUsage;
  outcome: { status: 'SUCCEEDED'; output: unknown } | FailedOutcome;
}

/** `rejectedAnswer`: what is kept of the last answer that was refused; absent where none was. */
export interface FailedOutcome {
  status: 'FAILED';
  error: ItemError;
  rejectedAnswer?: string;
}

/** What came of one request, and so what the caller does next. */
export type Step =
  | { kind: 'final'; answer: ItemAnswer }
  /**
   * Send again as soon as there is a permit: the answer was invalid or cut short, or the model has
   * another name.
   */
  | { kind: 'again' }
  /** Send again after `delayMs`. `giveUp` is the answer should the caller not want to wait any more. */
  | { kind: 'later'; delayMs: number; failures: number; giveUp: ItemAnswer }
  /** No item would succeed: stop the batch. */
  | { kind: 'stop'; code: BatchErrorCode; message: string };

export interface ItemRun {
  /** The model that it asks: whose gate gives the permit. */
  readonly model: Model;
  /**
   * The answer of an item that cannot be sent at all; null for every other. Nobody need wait for a
   * permit to learn it.
   */
  refusal(): ItemAnswer | null;
  /**
   * Makes one request and gives the permit back. Rejects only with the signal's reason; the run can be sent again then.
   */
  send(permit: Permit, signal: AbortSignal): Promise<Step>;
  /**
   * Takes what a request came to that went out by another way, through the batch API of the model
   * with the id `asked`: an answer, or why there is none.
   */
  receive(result: ModelAnswer | ModelError, asked: string): Step;
  /** The answer where Winnow itself failed on it, with what it has cost so far. */
  abandon(): ItemAnswer;
}

/** An answer that breaks its schema is asked again this often, with the validator's message. */
const maxRepairs = 2;
/** Longer prompts are not kept while an item waits. */
const keptPrompt = 100_000;
/** After this an item looks again for room for its long prompt. */
const roomDelayMs = 100;
/** So long is an item tried where no other tells whether the provider is down. */
const lonelyFailureMs = 300_000;

/** Starts an item. Nothing is sent yet. */
export function startItem(plan: Plan, item: PromptItem): ItemRun {
  return new StartedItem(plan, item);
}

/** State and lifecycle of one item; a class, because functions made anew for each of a million items cost more than their work. */
class StartedItem implements ItemRun {
  readonly model: Model;
  private readonly plan: Plan;
  private readonly item: PromptItem;
  private readonly unusable: ItemFailure | undefined;
  /** The model is the item's own choice: where it is not there, the others have theirs. */
  private readonly named: boolean;
  private readonly usage: RunUsage = {
    requests: 0,
    inputTokens: 0,
    cachedInputTokens: 0,
    outputTokens: 0,
    costUsd: null,
  };
  private readonly answeredAtStart: number;
  /** Made when first sent, because a template may lack a field; a repair adds to it. */
  private prompt: Prompt | null = null;
  /** Null until it is made for the first time. */
  private promptLength: number | null = null;
  /** The last answer that was not valid, and why. */
  private repair: Repair | null = null;
  private maxOutputTokens: number | undefined;
  private attempts = 0;
  private repairs = 0;
  /** Failures that may be the item's own: not those of an outage. */
  private failures = 0;
  private firstFailure = { at: 0, answered: 0 };
  private enlarged = false;
  /** The other reading of its model's name, once the first one was ruled out. */
  private other: Model | null = null;
  /** What is kept of the last answer that was refused. */
  private rejected: string | null = null;

  constructor(plan: Plan, item: PromptItem) {
    const { model, named, failure } = modelFor(plan, item);
    this.plan = plan;
    this.item = item;
    this.model = model;
    this.unusable = failure;
    this.named = named;
    this.answeredAtStart = model.gate.answered;
    this.maxOutputTokens = plan.sampling.maxOutputTokens;
  }

  refusal(): ItemAnswer | null {
    const prompt = this.prepare();
    this.forgetLong();
    return prompt instanceof ItemFailure
      ? this.answerWith({
          status: 'FAILED',
          error: { code: prompt.code, message: prompt.message },
        })
      : null;
  }

  async send(permit: Permit, signal: AbortSignal): Promise<Step> {
    // Known of a long prompt that has been made before.
    let leave = this.promptLength === null ? null : this.plan.room.take(this.promptLength);
    if (this.promptLength !== null && !leave) return this.waitForRoom(permit);
    try {
      const prompt = this.prepare();
      if (prompt instanceof ItemFailure) {
        permit.release('aborted');
        return this.failed(prompt);
      }
      leave ??= this.plan.room.take(this.promptLength ?? 0);
      return leave ? await this.sendPrompt(prompt, permit, signal) : this.waitForRoom(permit);
    } finally {
      leave?.();
      this.forgetLong();
    }
  }

  /** Others have all the room that there is for long prompts. */
  private waitForRoom(permit: Permit): Step {
    permit.release('aborted');
    const message = 'Too many long prompts were under way at once';
    const giveUp = this.answerWith({ status: 'FAILED', error: { code: 'TIMEOUT', message } });
    return { kind: 'later', delayMs: roomDelayMs, failures: this.failures, giveUp };
  }

  /** A long prompt is made again when it is sent again: what waits holds none. */
  private forgetLong(): void {
    if ((this.promptLength ?? 0) > keptPrompt) this.prompt = null;
  }

  private async sendPrompt(prompt: Prompt, permit: Permit, signal: AbortSignal): Promise<Step> {
    let answer: ModelAnswer;
    const { readings } = this.model;
    const model = this.other ?? (readings ? await readings.settled() : this.model);
    try {
      const { maxOutputTokens } = this;
      const request = { ...this.plan.sampling, maxOutputTokens, ...prompt };
      answer = await model.send(request, { signal, permit });
      readings?.confirm(model);
    } catch (error) {
      this.usage.requests += permit.requests;
      if (!(error instanceof ModelError)) {
        permit.release('aborted');
        throw error;
      }
      return this.understand(error, permit, model.id);
    }
    this.usage.requests += permit.requests;
    permit.release('ok');
    this.attempts += 1;
    this.spend(answer);
    return this.read(answer);
  }

  receive(result: ModelAnswer | ModelError, asked: string): Step {
    this.usage.requests += 1;
    if (result instanceof ModelError) return this.understand(result, null, asked);
    this.attempts += 1;
    this.spend(result);
    return this.read(result);
  }

  private prepare(): Prompt | ItemFailure {
    try {
      if (this.unusable) return this.unusable;
      if (!this.prompt) {
        const first = createPrompt(this.plan.operation, this.item);
        // Always the first prompt plus the last bad answer: the prompt does not grow with every
        // repair.
        this.prompt = this.repair ? withRepair(first, this.repair) : first;
        this.promptLength = promptLength(this.prompt);
      }
      return this.prompt;
    } catch (error) {
      if (error instanceof ItemFailure) return error;
      throw error;
    }
  }

  abandon(): ItemAnswer {
    return this.answerWith({ status: 'FAILED', error: internalError });
  }

  private read(answer: ModelAnswer): Step {
    const { operation } = this.plan;
    try {
      const output = operation.parse(answer);
      return { kind: 'final', answer: this.answerWith({ status: 'SUCCEEDED', output }) };
    } catch (error) {
      this.rejected = rejectedAnswer(operation.written?.(answer) ?? answer.text);
      if (error instanceof ItemFailure) return this.failed(error);
      if (!(error instanceof InvalidOutput)) throw error;
      if (this.repairs === maxRepairs) {
        return this.failed({
          code: 'INVALID_OUTPUT',
          message: `The model's answer is not valid: ${error.message}`,
        });
      }
      this.repairs += 1;
      this.repair = { answer: answer.text, problem: error.message };
      this.prompt = null;
      return { kind: 'again' };
    }
  }

  /**
   * `permit` null: it went out through the batch API. `asked` is the id of the model that refused.
   */
  private understand(error: ModelError, permit: Permit | null, asked: string): Step {
    const { failure } = error;
    this.rejected = rejectedAnswer(error.answer) ?? this.rejected;
    if (error.tokens) this.spend({ tokens: error.tokens, costUsd: error.costUsd });
    switch (failure.kind) {
      case 'later': {
        const { code, retryAfterMs } = failure;
        if (failure.counts) {
          this.attempts += 1;
          if (this.model.gate.hold()?.reason !== 'failing') this.countFailure();
        }
        permit?.release(
          code === 'RATE_LIMITED'
            ? 'rate_limited'
            : this.failures === 1
              ? 'failed'
              : 'failed_again',
          { retryAfterMs, message: error.message },
        );
        const giveUp = this.answerWith({
          status: 'FAILED',
          error: { code, message: error.message },
        });
        if (this.isItemsOwn()) return { kind: 'final', answer: giveUp };
        const delayMs = laterDelayMs({
          // Rate limits are paced by the gate, for all calls at once; an item waits longer only for its own failures.
          tries: this.failures + 1,
          retryAfterMs: failure.retryAfterMs,
        });
        return { kind: 'later', delayMs, failures: this.failures, giveUp };
      }
      case 'item': {
        permit?.release('ok');
        this.attempts += 1;
        const { maxOutputTokens } = this;
        if (failure.code === 'TRUNCATED' && maxOutputTokens !== undefined && !this.enlarged) {
          this.enlarged = true;
          this.maxOutputTokens = maxOutputTokens * 2;
          return { kind: 'again' };
        }
        return this.failed({ code: failure.code, message: error.message });
      }
      case 'batch': {
        permit?.release('refused');
        const isUnknown = failure.code === 'UNKNOWN_MODEL';
        const { readings } = this.model;
        const other = isUnknown ? readings?.ruleOut(asked, { back: permit !== null }) : null;
        if (other && !this.other) {
          this.other = other;
          return permit ? { kind: 'again' } : this.laterByOther(error);
        }
        const message = isUnknown && readings ? `${error.message} ${readings.told}` : error.message;
        return isUnknown && this.named
          ? this.failed({ code: 'INVALID_REQUEST', message })
          : { kind: 'stop', code: failure.code, message };
      }
    }
  }

  /** In the next input: its job has one model. */
  private laterByOther({ message }: ModelError): Step {
    const giveUp = this.answerWith({
      status: 'FAILED',
      error: { code: 'INVALID_REQUEST', message },
    });
    return { kind: 'later', delayMs: 0, failures: 0, giveUp };
  }

  private countFailure(): void {
    if (this.failures === 0) {
      this.firstFailure = { at: performance.now(), answered: this.model.gate.answered };
    }
    this.failures += 1;
  }

  /**
   * Whether it is the item that fails, and not the provider: it failed often enough, while the provider answered others. Where nobody has
   * asked since its first failure, at the end of a batch, that may also be an outage, which is waited for.
   */
  private isItemsOwn(): boolean {
    if (this.failures < maxCountedTries) return false;
    const { answered } = this.model.gate;
    return (
      answered > this.firstFailure.answered ||
      (answered > this.answeredAtStart &&
        performance.now() - this.firstFailure.at >= lonelyFailureMs)
    );
  }

  private spend({ tokens, costUsd }: Pick<ModelAnswer, 'tokens' | 'costUsd'>): void {
    const { usage } = this;
    usage.inputTokens += tokens.inputTokens;
    usage.cachedInputTokens += tokens.cachedInputTokens;
    usage.outputTokens += tokens.outputTokens;
    if (costUsd !== null) usage.costUsd = (usage.costUsd ?? 0) + costUsd;
  }

  private failed({ code, message }: ItemError): Step {
    const answer = this.answerWith({ status: 'FAILED', error: { code, message } });
    return { kind: 'final', answer };
  }

  private answerWith(outcome: ItemAnswer['outcome']): ItemAnswer {
    const whole =
      outcome.status === 'FAILED' && this.rejected !== null
        ? { ...outcome, rejectedAnswer: this.rejected }
        : outcome;
    return { attempts: this.attempts, usage: { ...this.usage }, outcome: whole };
  }
}

/** The model that an item goes to; the plan's, with the reason, where it can go to none. */
function modelFor(
  plan: Plan,
  item: PromptItem,
): { model: Model; named: boolean; failure?: ItemFailure } {
  try {
    return modelOf(plan, item);
  } catch (error) {
    if (error instanceof ItemFailure) return { model: plan.model, named: true, failure: error };
    throw error;
  }
}

interface Repair {
  answer: string;
  problem: string;
}

/** The prompt with a bad answer and what is wrong with it. */
function withRepair(prompt: Prompt, { answer, problem }: Repair): Prompt {
  const turns: ChatMessage[] = [
    // An answer may be tool calls alone, and Anthropic refuses a message without content.
    ...(answer === '' ? [] : [{ role: 'assistant' as const, content: answer }]),
    {
      role: 'user',
      content: `That answer is not valid: ${problem.replace(/\.$/, '')}. Answer again, complete and in the required form, with nothing else.`,
    },
  ];
  if (!('body' in prompt)) return { ...prompt, messages: [...prompt.messages, ...turns] };
  const { messages } = prompt.body;
  return {
    ...prompt,
    body: { ...prompt.body, messages: [...(Array.isArray(messages) ? messages : []), ...turns] },
  };
}
