/**
 * One live call: a complete chat request, answered at once or in pieces, outside of any batch. It
 * goes through the gate of its model like all others.
 */
import { withDeadline } from '../core/deadline.ts';
import { BadUserInput, CallFailure } from '../core/errors.ts';
import { type Cause, causeFields } from '../core/log.ts';
import { meter, noUsage, type Tokens } from '../core/usage.ts';
import { completionToMessage, messageToCompletion } from '../model/dialects/completion.ts';
import type { Permit } from '../model/limits/permit.ts';
import type { Model, ModelAnswer, StreamEvent } from '../model/model.ts';
import { ModelError } from '../model/model-error.ts';
import type { Providers } from '../model/providers.ts';
import type { BodyRequest, Dialect } from '../model/request.ts';
import type { Telling } from '../telemetry/events.ts';
import { traceparentFor } from '../telemetry/tracing.ts';
import type { CallAccount, CallLedger } from './call-ledger.ts';
import { enter, failureOf, giveBack } from './live-permit.ts';
import type { OwnerBudget } from './owner-budget.ts';

interface LiveCall {
  /** Whose call it is. */
  owner: string;
  /** The API of the request and of its answer. */
  dialect: Dialect;
  /** As it came; its `model` is a name or `provider/name`. */
  body: Readonly<Record<string, unknown>> & { model: string };
  /** The caller says that it has failed before. */
  isAgain: boolean;
  /** The request, for the log, and its span where traces are on. */
  asking: Cause;
  /** Aborted when nobody waits for the answer any more. */
  signal: AbortSignal;
}

/** The cost of a call: the model's id, and the provider's counts, null where it gave none. */
export interface Spent {
  model: string;
  tokens: Tokens | null;
  costUsd: number | null;
}

/**
 * Both throw CallFailure, BUDGET_EXCEEDED, LIMIT_EXCEEDED, or the signal's reason when aborted.
 * Nothing is sent where the owner's month or day has no room.
 */
export interface LiveCalls {
  /** `json`: the answer, to the letter as the provider sent it where it is not translated. */
  answer(call: LiveCall): Promise<{ json: string; spent: Spent }>;
  /**
   * Calls `read` with the events of the answer once the provider has let the request in. What it
   * throws is thrown, and ends the call to the provider.
   */
  stream(
    call: LiveCall,
    read: (events: AsyncIterable<StreamEvent>) => Promise<void>,
  ): Promise<Spent>;
}

export interface LiveCallOptions {
  providersOf(owner: string): Providers;
  /** The server's own, also where the caller may not name it: a bare name may be its provider's. */
  resolveDefault(): Model;
  /** Milliseconds that a call waits for its gate at most. */
  timeoutMs: number;
  callLedger: Pick<CallLedger, 'accountOf'>;
  ownerBudget: OwnerBudget;
  events: Telling;
  /** Providers are told of the trace. */
  propagates: boolean;
  /** Counts an item that starts of its owner's day. Throws LimitExceeded. */
  takeItem(owner: string): Promise<void>;
}

export function createLiveCalls(options: LiveCallOptions): LiveCalls {
  return {
    answer(call) {
      return run(call, options, async (model, { permit, request }) => {
        const { signal } = call;
        const answer = await model.send(request, { signal, permit });
        const { tokens, costUsd } = answer;
        const json = inDialect(call.dialect, model.dialect, answer);
        const spent = { model: model.id, tokens, costUsd };
        return { result: { json, spent }, spent, answer };
      });
    },
    stream(call, read) {
      return run(call, options, (model, { permit, request, begun }) =>
        // What goes wrong in reading ends the call.
        withDeadline({ signal: call.signal, afterMs: null, late }, async (signal) => {
          const { events, spent } = await model.stream(request, { signal, permit });
          begun();
          await read(events);
          const all = { model: model.id, tokens: null, costUsd: null, ...spent() };
          return { result: all, spent: all, answer: null };
        }),
      );
    },
  };
}

function late(): Error {
  return new Error('a stream has no deadline of its own');
}

function requestOf(
  { body, dialect, asking }: LiveCall,
  { propagates }: LiveCallOptions,
): BodyRequest {
  const { trace } = asking;
  const traceparent = trace ? traceparentFor({ trace, propagates }) : undefined;
  return { body, dialect, traceparent, about: causeFields(asking) };
}

interface Sending {
  permit: Permit;
  request: BodyRequest;
  /** Told when the answer has begun. */
  begun: () => void;
}

interface Sent<T> {
  result: T;
  spent: Spent;
  /** Null of one that came in pieces. */
  answer: ModelAnswer | null;
}

/**
 * Runs `use` under a permit of the call's model, which is given back with what came of it. Where
 * the model's name has two readings, the other one is tried once, unless the answer has `begun`.
 */
async function run<T>(
  call: LiveCall,
  options: LiveCallOptions,
  use: (model: Model, sending: Sending) => Promise<Sent<T>>,
): Promise<T> {
  const { readings, ...named } = modelNamed(call, options);
  const account = options.callLedger.accountOf(call.owner);
  let model = readings ? await readings.chosen() : named.model;
  let mayBeOther = readings !== undefined;
  let isTaken = false;
  const begun = () => {
    mayBeOther = false;
  };
  for (;;) {
    refuseSeveralAnswers(call, model);
    const end = await admit(call, options, model);
    let permit: Permit;
    try {
      if (!isTaken) await options.takeItem(call.owner);
      isTaken = true;
      permit = await enter(model, call.signal, options);
    } catch (error) {
      end();
      throw error;
    }
    const sentAt = performance.now();
    const request = requestOf(call, options);
    const counted = { account, permit, model, sentAt, request };
    try {
      const { result, spent, answer } = await use(model, { permit, request, begun });
      count(call, options, { ...counted, spent, answer });
      readings?.confirm(model);
      permit.release('ok');
      return result;
    } catch (error) {
      giveBack(permit, error, call);
      const spent = error instanceof ModelError ? error : null;
      count(call, options, { ...counted, spent, answer: null });
      if (!(error instanceof ModelError)) throw error;
      const isUnknown = error.failure.code === 'UNKNOWN_MODEL';
      const other =
        isUnknown && mayBeOther ? readings?.ruleOut(model.id, { back: true }) : undefined;
      if (!other) throw failureOf(error, isUnknown ? readings?.told : undefined);
      model = other;
      mayBeOther = false;
    } finally {
      end();
    }
  }
}

/** Sets aside of the owner's month what the call is expected to cost. */
function admit(
  { owner, body, asking: cause }: LiveCall,
  { ownerBudget }: LiveCallOptions,
  { id }: Model,
): Promise<() => void> {
  const most = body.max_completion_tokens ?? body.max_tokens;
  return ownerBudget.admit(owner, {
    model: id,
    promptCharacters: () => JSON.stringify([body.system, body.messages]).length,
    answers: typeof body.n === 'number' ? body.n : 1,
    maxOutputTokens: typeof most === 'number' ? most : null,
    cause,
  });
}

/** Adds a call to the ledger, also one that failed or was broken off. */
function count(
  { owner, asking }: LiveCall,
  { events }: LiveCallOptions,
  {
    account,
    permit: { requests },
    model: { id: model },
    sentAt,
    spent,
    request,
    answer,
  }: {
    account: CallAccount;
    permit: Permit;
    model: Model;
    sentAt: number;
    spent: Spent | ModelError | null;
    request: BodyRequest;
    answer: ModelAnswer | null;
  },
): void {
  const usage = { ...noUsage, requests };
  const parent = asking.trace ?? null;
  const failure = spent instanceof ModelError ? spent : null;
  const { tokens, costUsd } = spent ?? { tokens: null, costUsd: null };
  if (!failure?.isFree) meter(usage, { tokens, costUsd });
  account.add(model, usage);
  if (requests === 0 || !events.has('model.call')) return;
  events.emit('model.call', {
    model,
    lane: 'sync',
    owner,
    seconds: (performance.now() - sentAt) / 1_000,
    requests,
    retries: requests - 1,
    error: spent === null ? 'ABORTED' : (failure?.failure.code ?? null),
    tokens,
    costUsd,
    isUnmetered: usage.unmeteredRequests > 0,
    parent,
    request: parent && request,
    answer: parent && answer,
  });
}

/**
 * The model that a call names. A bare name is one of the dialect's own provider where that is
 * configured, else one of the default model's provider. Throws CallFailure.
 */
function modelNamed(
  { owner, dialect, body: { model: name } }: LiveCall,
  { providersOf, resolveDefault }: LiveCallOptions,
): { model: Model; readings: Model['readings'] } {
  const providers = providersOf(owner);
  try {
    const own = name.includes('/') ? null : providers.resolveAt(dialect, name);
    const model = own ?? providers.resolveNamed(name, resolveDefault());
    return { model, readings: model.readings };
  } catch (error) {
    if (!(error instanceof BadUserInput)) throw error;
    throw new CallFailure('UNKNOWN_MODEL', error.message, { param: 'model', cause: error });
  }
}

/** A message has one answer: others would be lost, and paid for where a provider makes them. */
function refuseSeveralAnswers(
  { dialect, body: { n } }: LiveCall,
  { dialect: theirs }: Model,
): void {
  if (dialect === theirs || n == null || n === 1) return;
  const message = 'n must be 1 for a model of Anthropic’s API';
  throw new CallFailure('INVALID_REQUEST', message, { param: 'n' });
}

/** An answer as the caller's API would have given it, as JSON. */
function inDialect(asked: Dialect, given: Dialect, { completion, json }: ModelAnswer): string {
  if (asked === given) return json ?? JSON.stringify(completion);
  return JSON.stringify(
    asked === 'anthropic'
      ? completionToMessage(completion)
      : messageToCompletion(completion, { created: Math.floor(Date.now() / 1_000) }),
  );
}
