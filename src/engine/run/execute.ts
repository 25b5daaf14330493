/**
 * The one way from an item to its answer: prompt, model, parse. Synchronous mutations
 * (answer-items.ts) and the worker both drive an ItemRun one request at a time. Waiting, order and
 * limits are theirs. Only this file says what an answer means.
 */

import {
  InvalidOutput,
  type ItemError,
  ItemFailure,
  internalItemError,
  itemMessage,
} from '../../core/errors.ts';
import { isUnmetered, meter, noUsage, type TokenCounts, type Usage } from '../../core/usage.ts';
import type { Permit } from '../../model/limits/permit.ts';
import type { Model, ModelAnswer } from '../../model/model.ts';
import { ModelError } from '../../model/model-error.ts';
import { laterDelayMs } from '../../model/retry.ts';
import type { PromptItem } from '../../operations/operation.ts';
import type { AnsweredModel, AskedModel, CallOrigin } from '../../telemetry/events.ts';
import { traceparentFor } from '../../telemetry/tracing.ts';
import { modelFor } from './item-model.ts';
import { makePrompt, type Repair } from './item-prompt.ts';
import type { ItemAnswer, ItemRun, ItemStep } from './item-run.ts';
import { type FirstFailure, firstFailureAt, isItemsOwn } from './own-failures.ts';
import { type ItemPrompt, type Plan, promptLength } from './plan.ts';
import { rejectedAnswer } from './rejected-answer.ts';

/** An answer that breaks its schema is asked again this often, with the validator's message. */
export const maxRepairs = 2;
/** After this an item looks again for room for its long prompt. */
const roomDelayMs = 100;
/** Starts an item. Nothing is sent yet. Its calls are told with their `origin`. */
export function startItem(plan: Plan, item: PromptItem, origin?: CallOrigin): ItemRun {
  return new StartedItem(plan, item, origin);
}

/** The facts of a call that differ among those of its item. */
interface ToldCall {
  tokens: TokenCounts | null;
  costUsd: number | null;
  error?: string;
  isFree?: boolean;
  /** The completion of an answer. */
  completion?: ModelAnswer['completion'];
}

const cutOff: ToldCall = { tokens: null, costUsd: null, error: 'ABORTED' };

function failureOf({ tokens, costUsd, isFree, failure }: ModelError): ToldCall {
  return { tokens, costUsd, isFree, error: failure.code };
}

/**
 * State and lifecycle of one item; a class, because closures for each of a million items
 * cost more than their work.
 */
class StartedItem implements ItemRun {
  readonly model: Model;
  readonly usage: Usage = { ...noUsage };
  promptLength = 0;
  attempts = 0;
  cutOff = 0;
  private readonly plan: Plan;
  private readonly item: PromptItem;
  private readonly origin: CallOrigin | undefined;
  private readonly unusable: ItemFailure | null = null;
  /** The model is the item's own choice: where it is not there, the others have theirs. */
  private readonly named: boolean = false;
  private readonly answeredAtStart: number;
  private repair: Repair | null = null;
  private maxOutputTokens: number | undefined;
  private repairs = 0;
  /** Failures that may be the item's own: not those of an outage. */
  private failures = 0;
  private firstFailure: FirstFailure | null = null;
  private enlarged = false;
  /** When its last request went out. */
  private sentAt = 0;
  /** The other reading of its model's name, once the first one was ruled out. */
  private other: Model | null = null;
  /** The beginning of the last answer that was refused. */
  private rejected: string | null = null;

  constructor(plan: Plan, item: PromptItem, origin: CallOrigin | undefined) {
    this.plan = plan;
    this.item = item;
    this.origin = origin;
    this.model = plan.model;
    if (plan.modelOf) {
      const { model, named, failure } = modelFor(plan, item);
      this.model = model;
      this.unusable = failure;
      this.named = named;
    }
    this.answeredAtStart = this.model.gate.answered;
    this.maxOutputTokens = plan.sampling.maxOutputTokens;
  }

  refusal(): ItemAnswer | null {
    const prompt = this.unusable ?? this.makePrompt();
    return prompt instanceof ItemFailure
      ? this.answerWith({
          status: 'FAILED',
          error: { code: prompt.code, message: prompt.message },
        })
      : null;
  }

  async send(permit: Permit, signal: AbortSignal): Promise<ItemStep> {
    const { room } = this.plan;
    const { readings } = this.model;
    let model = this.other ?? this.model;
    // First, because a prompt that waits takes room.
    if (!this.other && readings) model = await readings.chosen();
    // Before a prompt is made again that is known to be long.
    if (!room.has(this.promptLength)) return this.waitForRoom(permit);
    const prompt = this.unusable ?? this.makePrompt();
    if (prompt instanceof ItemFailure) {
      permit.release('aborted');
      return this.failed(prompt);
    }
    const length = this.promptLength;
    if (!room.take(length)) return this.waitForRoom(permit);
    const { maxOutputTokens, origin } = this;
    const { sampling, tokenRatio } = this.plan;
    const cacheMark = this.plan.cache?.mark ?? undefined;
    const traceparent = traceparentFor(origin);
    const about = origin?.about;
    const request = {
      ...sampling,
      maxOutputTokens,
      ...prompt,
      tokenRatio,
      cacheMark,
      traceparent,
      about,
    };
    let answer: ModelAnswer;
    try {
      this.sentAt = performance.now();
      answer = await model.send(request, { signal, permit });
      readings?.confirm(model);
    } catch (error) {
      if (!(error instanceof ModelError)) {
        this.tell(model.id, permit, cutOff, request);
        this.usage.requests += permit.requests;
        this.countCutOff(permit);
        throw error;
      }
      this.tell(model.id, permit, failureOf(error), request);
      this.usage.requests += permit.requests;
      if (permit.requests > 0 && !error.isFree) meter(this.usage, error);
      return this.understand(error, permit, model.id);
    } finally {
      room.giveBack(length);
    }
    this.tell(model.id, permit, answer, request);
    this.usage.requests += permit.requests;
    permit.release('ok');
    this.attempts += 1;
    meter(this.usage, answer);
    this.plan.cache?.answered(answer.tokens, this.sentAt);
    return this.read(answer);
  }

  /** `permit` null: an answer of the batch API. Before its requests are counted in the usage. */
  private tell(
    model: string,
    permit: Permit | null,
    call: ToldCall,
    request: AskedModel | null = null,
  ): void {
    const { origin } = this;
    const requests = permit === null ? 1 : permit.requests;
    if (origin === undefined || requests === 0 || !origin.events.has('model.call')) return;
    const { tokens, costUsd, error = null, isFree = false } = call;
    const parent = origin.trace ?? null;
    origin.events.emit('model.call', {
      model,
      lane: origin.lane,
      owner: origin.owner,
      seconds: permit === null ? null : (performance.now() - this.sentAt) / 1_000,
      requests,
      retries: this.usage.requests === 0 ? requests - 1 : requests,
      error,
      tokens,
      costUsd,
      isUnmetered: !isFree && isUnmetered(tokens),
      parent,
      request: parent && request,
      answer: parent && call.completion ? (call as AnsweredModel) : null,
    });
  }

  /** The last request is aborted; those before it were refused. */
  private countCutOff(permit: Permit): void {
    permit.release('aborted');
    if (permit.requests === 0) return;
    this.usage.unmeteredRequests += 1;
    this.cutOff += 1;
  }

  /**
   * Made for each request, so that an item that waits for its next one holds none: hardly any item
   * has a second.
   */
  private makePrompt(): ItemPrompt | ItemFailure {
    const prompt = makePrompt(this.plan, this.item, this.repair);
    if (!(prompt instanceof ItemFailure)) this.promptLength = promptLength(prompt);
    return prompt;
  }

  /** Others have all the room that there is for long prompts. */
  private waitForRoom(permit: Permit): ItemStep {
    permit.release('aborted');
    const message = 'Too many long prompts were under way at once';
    const giveUp = this.giveUpWith({ code: 'TIMEOUT', message });
    return { kind: 'later', delayMs: roomDelayMs, failures: this.failures, counts: false, giveUp };
  }

  receive(result: ModelAnswer | ModelError, asked: string, isCounted = false): ItemStep {
    if (!isCounted) {
      this.tell(asked, null, result instanceof ModelError ? failureOf(result) : result);
      this.usage.requests += 1;
    }
    if (result instanceof ModelError) {
      if (!isCounted && !result.isFree) meter(this.usage, result);
      return this.understand(result, null, asked);
    }
    this.attempts += 1;
    if (!isCounted) meter(this.usage, result);
    this.plan.cache?.answeredInJob(result.tokens);
    return this.read(result);
  }

  abandon(): ItemAnswer {
    return this.answerWith({ status: 'FAILED', error: internalItemError });
  }

  private read(answer: ModelAnswer): ItemStep {
    const { operation } = this.plan;
    try {
      const output = operation.parse(answer);
      const confidence = operation.confidence?.(output) ?? undefined;
      return {
        kind: 'final',
        answer: this.answerWith({ status: 'SUCCEEDED', output, confidence }),
      };
    } catch (error) {
      this.rejected = rejectedAnswer(operation.written?.(answer) ?? answer.text);
      if (error instanceof ItemFailure) return this.failed(error);
      if (!(error instanceof InvalidOutput)) throw error;
      if (this.repairs === maxRepairs) {
        return this.failed({
          code: 'INVALID_OUTPUT',
          message: `The model's answer is not valid: ${error.told}`,
        });
      }
      this.repairs += 1;
      this.repair = { answer: answer.text, problem: error.message };
      return { kind: 'again' };
    }
  }

  /**
   * `permit` null: it went out through the batch API. `asked` is the id of the model that refused.
   */
  private understand(error: ModelError, permit: Permit | null, asked: string): ItemStep {
    const { failure } = error;
    this.rejected = rejectedAnswer(error.answer) ?? this.rejected;
    if (error.tokens) {
      if (permit) this.plan.cache?.answered(error.tokens, this.sentAt);
      else this.plan.cache?.answeredInJob(error.tokens);
    }
    switch (failure.kind) {
      case 'later': {
        const { code, retryAfterMs, counts } = failure;
        if (counts) {
          this.attempts += 1;
          if (this.model.gate.blocked()?.reason !== 'failing') {
            this.firstFailure ??= firstFailureAt(this.model.gate);
            this.failures += 1;
          }
        }
        permit?.release(
          code === 'RATE_LIMITED'
            ? 'rate_limited'
            : this.failures === 1
              ? 'failed'
              : 'failed_again',
          { retryAfterMs, message: error.message },
        );
        const giveUp = this.giveUpWith({ code, message: error.message });
        const { failures, firstFailure, answeredAtStart } = this;
        const own = isItemsOwn(this.model.gate, { failures, firstFailure, answeredAtStart });
        if (own) return { kind: 'final', answer: giveUp };
        const delayMs = laterDelayMs({
          // Rate limits are paced by the gate, for all calls at once; an item waits longer only for
          // its own failures.
          tries: failures + 1,
          retryAfterMs: failure.retryAfterMs,
        });
        return { kind: 'later', delayMs, failures, counts, giveUp };
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
  private laterByOther({ message }: ModelError): ItemStep {
    const giveUp = this.giveUpWith({ code: 'INVALID_REQUEST', message });
    return { kind: 'later', delayMs: 0, failures: 0, counts: false, giveUp };
  }

  private failed({ code, message }: ItemError): ItemStep {
    const answer = this.answerWith({ status: 'FAILED', error: { code, message } });
    return { kind: 'final', answer };
  }

  /** The answer for a caller that waits no longer. The item may go on and cost more. */
  private giveUpWith(error: ItemError): ItemAnswer {
    const answer = this.answerWith({ status: 'FAILED', error });
    return { ...answer, usage: { ...answer.usage } };
  }

  private answerWith(outcome: ItemAnswer['outcome']): ItemAnswer {
    return { attempts: this.attempts, usage: this.usage, outcome: this.asStored(outcome) };
  }

  private asStored(outcome: ItemAnswer['outcome']): ItemAnswer['outcome'] {
    if (outcome.status !== 'FAILED') return outcome;
    const { code, message } = outcome.error;
    const rejectedAnswer = this.rejected === null ? {} : { rejectedAnswer: this.rejected };
    return { ...outcome, error: { code, message: itemMessage(message) }, ...rejectedAnswer };
  }
}
