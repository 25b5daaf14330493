/**
 * The one road from an item to its answer: prompt, model, parse. Synchronous mutations and the worker both drive an
 * ItemRun one request at a time, so that waiting, order and limits are theirs, and what an answer means is said here alone.
 */
import {
  AppError,
  BadUserInput,
  type BatchErrorCode,
  InvalidOutput,
  type ItemError,
  ItemFailure,
} from './errors.ts';
import {
  type BodyRequest,
  type ChatMessage,
  type Model,
  type ModelAnswer,
  ModelError,
  type Permit,
  type PromptRequest,
  type Sampling,
} from './model/model.ts';
import type { Providers } from './model/providers.ts';
import { laterDelayMs, maxCountedTries } from './model/retry.ts';
import { findOperation } from './operations/index.ts';
import type { PreparedOperation, PromptItem } from './operations/operation.ts';
import { type SharedParams, samplingOf } from './operations/params.ts';

/** An operation bound to its params, its model and its sampling options. */
export interface Plan {
  operation: PreparedOperation;
  model: Model;
  sampling: Sampling;
}

/** Binds operations to models. `preparePlan` throws BadUserInput where the model is unknown or its provider not configured. */
export function createPlanner({
  providers,
  defaultModel,
}: {
  providers: Providers;
  defaultModel: string;
}) {
  return function preparePlan(operationName: string, params: Record<string, unknown>): Plan {
    const operation = findOperation(operationName);
    if (!operation) throw new Error(`there is no operation ${operationName}`);
    const shared = params as SharedParams;
    return {
      operation: operation.prepare(params),
      model: providers.resolve(shared.model ?? defaultModel),
      sampling: samplingOf(shared),
    };
  };
}

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
  outcome: { status: 'SUCCEEDED'; output: unknown } | { status: 'FAILED'; error: ItemError };
}

/** What came of one request, and so what the caller does next. */
export type Step =
  | { kind: 'final'; answer: ItemAnswer }
  /** Send again as soon as there is a permit: the answer was invalid or cut short. */
  | { kind: 'again' }
  /** Send again after `delayMs`. `giveUp` is the answer should the caller not want to wait any more. */
  | { kind: 'later'; delayMs: number; failures: number; giveUp: ItemAnswer }
  /** No item would succeed: stop the batch. */
  | { kind: 'stop'; code: BatchErrorCode; message: string };

export interface ItemRun {
  /**
   * Makes one request and gives the permit back. Rejects only with the signal's reason; the run can be sent again then.
   */
  send(permit: Permit, signal: AbortSignal): Promise<Step>;
}

/** An answer that breaks its schema is asked again this often, with the validator's message. */
const maxRepairs = 2;
/** A synchronous caller does not wait as long for a provider that fails: a few seconds. */
const maxSynchronousFailures = 5;
const synchronousDeadlineMs = 60_000;

/** Starts an item. Nothing is sent yet. */
export function startItem(plan: Plan, item: PromptItem): ItemRun {
  const { operation, model, sampling } = plan;
  const usage: RunUsage = {
    requests: 0,
    inputTokens: 0,
    cachedInputTokens: 0,
    outputTokens: 0,
    costUsd: null,
  };
  const answeredAtStart = model.gate.answered;
  /** Made when first sent, because a template may lack a field; a repair adds to it. */
  let prompt: Prompt | null = null;
  let { maxOutputTokens } = sampling;
  let attempts = 0;
  let repairs = 0;
  let failures = 0;
  let enlarged = false;

  return {
    async send(permit, signal) {
      if (!prompt) {
        try {
          prompt = createPrompt(operation, item);
        } catch (error) {
          permit.release('aborted');
          if (error instanceof ItemFailure) return failed(error);
          throw error;
        }
      }
      usage.requests += 1;
      let answer: ModelAnswer;
      try {
        answer = await model.send({ ...sampling, maxOutputTokens, ...prompt }, { signal });
      } catch (error) {
        if (!(error instanceof ModelError)) {
          permit.release('aborted');
          throw error;
        }
        return understand(error, permit);
      }
      permit.release('ok');
      attempts += 1;
      spend(answer);
      return read(answer);
    },
  };

  function read(answer: ModelAnswer): Step {
    try {
      const output = operation.parse(answer);
      return { kind: 'final', answer: answerWith({ status: 'SUCCEEDED', output }) };
    } catch (error) {
      if (!(error instanceof InvalidOutput)) throw error;
      if (repairs === maxRepairs) {
        return failed({
          code: 'INVALID_OUTPUT',
          message: `The model's answer is not valid: ${error.message}`,
        });
      }
      repairs += 1;
      // Always the first prompt plus the last bad answer: the prompt does not grow with every repair.
      prompt = withRepair(createPrompt(operation, item), answer.text, error.message);
      return { kind: 'again' };
    }
  }

  function understand(error: ModelError, permit: Permit): Step {
    const { failure } = error;
    if (error.tokens) spend({ tokens: error.tokens, costUsd: error.costUsd });
    switch (failure.kind) {
      case 'later': {
        permit.release(
          failure.code === 'RATE_LIMITED' ? 'rate_limited' : 'failed',
          failure.retryAfterMs,
        );
        if (failure.counts) {
          attempts += 1;
          failures += 1;
        }
        const giveUp = answerWith({
          status: 'FAILED',
          error: { code: failure.code, message: error.message },
        });
        if (failures >= maxCountedTries && model.gate.answered > answeredAtStart) {
          return { kind: 'final', answer: giveUp };
        }
        const delayMs = laterDelayMs({
          // Rate limits are paced by the gate, for all calls at once; an item waits longer only for its own failures.
          tries: failures + 1,
          retryAfterMs: failure.retryAfterMs,
        });
        return { kind: 'later', delayMs, failures, giveUp };
      }
      case 'item': {
        permit.release('ok');
        attempts += 1;
        if (failure.code === 'TRUNCATED' && maxOutputTokens !== undefined && !enlarged) {
          enlarged = true;
          maxOutputTokens *= 2;
          return { kind: 'again' };
        }
        return failed({ code: failure.code, message: error.message });
      }
      case 'batch': {
        permit.release('failed');
        return { kind: 'stop', code: failure.code, message: error.message };
      }
    }
  }

  function spend({ tokens, costUsd }: Pick<ModelAnswer, 'tokens' | 'costUsd'>): void {
    usage.inputTokens += tokens.inputTokens;
    usage.cachedInputTokens += tokens.cachedInputTokens;
    usage.outputTokens += tokens.outputTokens;
    if (costUsd !== null) usage.costUsd = (usage.costUsd ?? 0) + costUsd;
  }

  function failed({ code, message }: ItemError): Step {
    return { kind: 'final', answer: answerWith({ status: 'FAILED', error: { code, message } }) };
  }

  function answerWith(outcome: ItemAnswer['outcome']): ItemAnswer {
    return { attempts, usage: { ...usage }, outcome };
  }
}

type Prompt = Pick<PromptRequest, 'messages' | 'format' | 'logprobs'> | Pick<BodyRequest, 'body'>;

function createPrompt(operation: PreparedOperation, item: PromptItem): Prompt {
  return operation.body
    ? { body: operation.body(item) }
    : {
        messages: operation.messages(item),
        format: operation.format,
        logprobs: operation.logprobs,
      };
}

/** The prompt with a bad answer and what is wrong with it. */
function withRepair(prompt: Prompt, answer: string, problem: string): Prompt {
  const turns: ChatMessage[] = [
    { role: 'assistant', content: answer },
    {
      role: 'user',
      content: `That answer is not valid: ${problem}. Answer again, complete and in the required form, with nothing else.`,
    },
  ];
  if (!('body' in prompt)) return { ...prompt, messages: [...prompt.messages, ...turns] };
  const { messages } = prompt.body;
  return {
    body: { ...prompt.body, messages: [...(Array.isArray(messages) ? messages : []), ...turns] },
  };
}

/**
 * Answers a few items at once, in order, waiting for rate limits and trying failures again for up to 60 s in all.
 * An item that fails is its own answer. Rejects with an AppError when no item could succeed (key, quota, model, a provider
 * that does not answer at all), and with the signal's reason when the caller has gone.
 */
export async function answerItems(
  plan: Plan,
  items: readonly PromptItem[],
  { signal }: { signal: AbortSignal },
): Promise<ItemAnswer[]> {
  const failure = new AbortController();
  const deadline = AbortSignal.timeout(synchronousDeadlineMs);
  const stop = AbortSignal.any([signal, failure.signal, deadline]);
  const answeredBefore = plan.model.gate.answered;
  try {
    const answers = await Promise.all(items.map((item) => answerItem(plan, item, stop, deadline)));
    if (plan.model.gate.answered === answeredBefore && answers.every(isUnanswered)) {
      throw new AppError(
        'PROVIDER_UNAVAILABLE',
        `${plan.model.provider} does not answer: ${firstMessage(answers)}`,
      );
    }
    return answers;
  } finally {
    // Whatever ended the request, no call of it goes on.
    failure.abort(new AppError('PROVIDER_UNAVAILABLE', 'The request has ended'));
  }
}

async function answerItem(
  plan: Plan,
  item: PromptItem,
  stop: AbortSignal,
  deadline: AbortSignal,
): Promise<ItemAnswer> {
  const run = startItem(plan, item);
  let giveUp: ItemAnswer | null = null;
  try {
    for (;;) {
      const step = await run.send(await plan.model.gate.enter(stop), stop);
      switch (step.kind) {
        case 'final':
          return step.answer;
        case 'again':
          break;
        case 'stop':
          throw stopError(plan.model, step);
        case 'later':
          giveUp = step.giveUp;
          if (step.failures >= maxSynchronousFailures) return giveUp;
          await wait(step.delayMs, stop);
      }
    }
  } catch (error) {
    if (!deadline.aborted || error instanceof AppError) throw error;
    return (
      giveUp ?? {
        attempts: 0,
        usage: {
          requests: 0,
          inputTokens: 0,
          cachedInputTokens: 0,
          outputTokens: 0,
          costUsd: null,
        },
        outcome: {
          status: 'FAILED',
          error: {
            code: 'TIMEOUT',
            message: `No answer within ${synchronousDeadlineMs / 1000} s; a batch waits longer`,
          },
        },
      }
    );
  }
}

function stopError(model: Model, stop: { code: BatchErrorCode; message: string }): AppError {
  return stop.code === 'UNKNOWN_MODEL'
    ? new BadUserInput([{ path: 'options.model', message: stop.message }])
    : new AppError('PROVIDER_UNAVAILABLE', `${model.provider}: ${stop.message}`);
}

function isUnanswered({ outcome }: ItemAnswer): boolean {
  return (
    outcome.status === 'FAILED' &&
    (outcome.error.code === 'PROVIDER_ERROR' || outcome.error.code === 'TIMEOUT')
  );
}

function firstMessage(answers: readonly ItemAnswer[]): string {
  const outcome = answers[0]?.outcome;
  return outcome?.status === 'FAILED' ? outcome.error.message : 'no answer';
}

function wait(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, delayMs);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

/** The metadata fields that the template names and none of the items has: a mistake in the template, not in the items. */
export function placeholdersNobodyHas(
  operation: PreparedOperation,
  items: readonly PromptItem[],
): string[] {
  return operation.placeholders.filter(
    (name) => !items.some(({ metadata }) => metadata !== null && Object.hasOwn(metadata, name)),
  );
}
