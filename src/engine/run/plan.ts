/** An operation bound to a model, and the request that it makes of an item. */
import { BadUserInput, ItemFailure } from '../../core/errors.ts';
import { createTokenRatio, type TokenRatio } from '../../model/limits/token-ratio.ts';
import type { Model } from '../../model/model.ts';
import type { Providers } from '../../model/providers.ts';
import type {
  BodyRequest,
  ChatMessage,
  ModelRequest,
  PromptRequest,
  Sampling,
} from '../../model/request.ts';
import type { CheckTime } from '../../operations/check-time.ts';
import { findOperation } from '../../operations/index.ts';
import type { PreparedOperation, PromptItem } from '../../operations/operation.ts';
import { type SharedParams, samplingOf } from '../../operations/params.ts';
import {
  compileTemplate,
  fieldNames,
  fieldOf,
  namesMeant,
  refuseTooLong,
} from '../../operations/template.ts';
import type { Telling } from '../../telemetry/events.ts';
import {
  type CountPrefix,
  createPlanCaches,
  type PlanCache,
  type PlanCaches,
} from './plan-cache.ts';
import { createPromptRoom, type PromptRoom } from './prompt-room.ts';

/** An operation bound to its params, its model and its sampling options. */
export interface Plan {
  operation: PreparedOperation;
  model: Model;
  sampling: Sampling;
  /** Room that all plans of this process have for their long prompts. */
  room: PromptRoom;
  /**
   * Tokens that its answers were billed, against those that their requests were estimated to need.
   */
  tokenRatio: TokenRatio;
  /** Knowledge that all plans of this process have of the providers' prompt caches. */
  caches: PlanCaches;
  /**
   * The plan's use of its provider's prompt cache; null: not. Absent until `beginCaching` decides.
   */
  cache?: PlanCache | null;
  /**
   * The model that a complete request names itself; null where it may not. Throws ItemFailure
   * INVALID_REQUEST.
   */
  modelOf: ((item: PromptItem) => Model) | null;
  /**
   * Why `model`, which is the server's own, may not be used by the owner: requests that name none
   * fail with it. Absent where it may.
   */
  modelProblem?: BadUserInput;
  /** `model` is the choice of the batch's first request: nobody has said that it is there. */
  isRequests?: boolean;
}

/** A batch's operation as it is stored. */
export interface StoredOperation {
  owner: string;
  operation: string;
  /** JSON text. */
  options: string;
  model: string;
}

/** Where models are found: the providers, or what of them an owner may use. */
type ModelSource = Pick<Providers, 'resolve' | 'resolveNamed' | 'resolveAt'>;

/** A model, and why it may not be used. */
interface OwnModel {
  model: Model;
  problem?: BadUserInput | undefined;
}

/**
 * Binds operations to models: `model`, else the one of the params, else the default. `preparePlan`
 * throws BadUserInput where the model is unknown, its provider not configured, or the owner may not
 * use it.
 */
export function createPlanner({
  providers,
  defaultModel,
  extraBody = null,
  countPrefix,
  events,
}: {
  providers: Providers;
  defaultModel: string;
  /** Fields that callers may set by `extraBody`; null: all. */
  extraBody?: ReadonlySet<string> | null;
  /** Counts what prompts have in common, which says whether providers keep it. */
  countPrefix?: CountPrefix | undefined;
  /** Told where a prompt cache is given up. */
  events?: Telling | undefined;
}) {
  const room = createPromptRoom();
  const caches = createPlanCaches({ countPrefix, events });

  return function preparePlan(
    operationName: string,
    params: Record<string, unknown>,
    modelId?: string,
    time?: CheckTime,
    source: ModelSource = providers,
  ): Plan {
    const operation = findOperation(operationName);
    if (!operation) throw new Error(`there is no operation ${operationName}`);
    const shared = params as SharedParams;
    // A batch that is stored names its model, and goes on as it was submitted.
    if (modelId === undefined) refuseExtra(shared, extraBody);
    const mayName = operation.whole === true && !shared.model;
    const named = modelId ?? shared.model;
    const { model, problem } =
      named == null ? ownModel(source, { mayName }) : { model: source.resolve(named) };
    // By either reading of the server's own.
    const isDefault = [defaultModel, `${model.provider}/${defaultModel}`].includes(model.id);
    return {
      operation: operation.prepare(params, time),
      model,
      room,
      caches,
      tokenRatio: createTokenRatio(),
      sampling: {
        ...samplingOf(shared),
        defaultTemperature: shared.temperature == null ? operation.defaultTemperature : undefined,
      },
      modelOf: mayName ? (item) => modelNamedBy(item, { model, problem, source }) : null,
      ...(problem ? { modelProblem: problem } : {}),
      isRequests: mayName && !isDefault,
    };
  };

  /** The server's own; where requests may name another, also one that the owner may not use. */
  function ownModel(source: ModelSource, { mayName }: { mayName: boolean }): OwnModel {
    try {
      return { model: source.resolve(defaultModel) };
    } catch (problem) {
      if (!mayName || !(problem instanceof BadUserInput)) throw problem;
      return { model: providers.resolve(defaultModel), problem };
    }
  }

  function modelNamedBy(
    { request, dialect }: PromptItem,
    { model, problem, source }: OwnModel & { source: ModelSource },
  ): Model {
    const name = request?.model ?? model.name;
    try {
      if (name === model.name) {
        if (problem) throw problem;
        return model;
      }
      if (typeof name === 'string') {
        // What is written for Anthropic names Anthropic's models, whichever provider answers the
        // rest.
        const isAnthropics = dialect === 'anthropic' && !name.includes('/');
        return (
          (isAnthropics ? source.resolveAt('anthropic', name) : null) ??
          source.resolveNamed(name, model)
        );
      }
    } catch (error) {
      if (!(error instanceof BadUserInput)) throw error;
      throw new ItemFailure(
        'INVALID_REQUEST',
        `The request’s model cannot be used: ${error.message}`,
      );
    }
    throw new ItemFailure('INVALID_REQUEST', 'model must be a string');
  }
}

/**
 * The model that an item goes to; `named` where a request has chosen it, the item or the first one
 * of its batch, and not the options or the server. Throws ItemFailure where it can go to none.
 */
export function modelOf(plan: Plan, item: PromptItem): { model: Model; named: boolean } {
  return plan.modelOf
    ? {
        model: plan.modelOf(item),
        named: item.request?.model != null || plan.isRequests === true,
      }
    : { model: plan.model, named: false };
}

/** The first request of an item, and its model. Throws ItemFailure where it cannot be sent. */
export function requestFor(plan: Plan, item: PromptItem): { model: Model; request: ModelRequest } {
  const { model } = modelOf(plan, item);
  const { sampling, operation } = plan;
  return { model, request: { ...sampling, ...promptOf(operation, item), ...markOf(plan) } };
}

/** The members of a request that ask for the prompt cache. */
function markOf({ cache }: Plan): Pick<PromptRequest, 'cacheMark'> {
  return cache?.mark ? { cacheMark: cache.mark } : {};
}

/**
 * The body that an item was or would be sent with, as far as it is known now: the first one,
 * without what a repair adds. Null where the item cannot be sent at all.
 */
export function requestBody(plan: Plan, item: PromptItem): Record<string, unknown> | null {
  try {
    const { model, request } = requestFor(plan, item);
    return model.bodyOf(request);
  } catch (error) {
    if (error instanceof ItemFailure) return null;
    throw error;
  }
}

/** The members of a request that an operation says. */
export type ItemPrompt =
  | Pick<PromptRequest, 'messages' | 'format' | 'schemaUnsaid' | 'logprobs'>
  | Pick<BodyRequest, 'body' | 'dialect'>;

/**
 * Characters of a prompt; 0 of an item that is a complete request, which is at most as long as its
 * row.
 */
export function promptLength(prompt: ItemPrompt): number {
  return 'body' in prompt ? 0 : lengthOf(prompt.messages);
}

function lengthOf(messages: readonly ChatMessage[]): number {
  let characters = 0;
  for (const { content } of messages) characters += content.length;
  return characters;
}

/** Throws ItemFailure where the item cannot be sent. */
export function promptOf(operation: PreparedOperation, item: PromptItem): ItemPrompt {
  if (operation.body) return { body: operation.body(item), dialect: item.dialect };
  const messages = operation.messages(item);
  refuseTooLong(lengthOf(messages));
  const { format, schemaUnsaid, logprobs } = operation;
  return { messages, format, schemaUnsaid, logprobs };
}

/**
 * The fields that options name and none of the items has: a mistake in the options, not in the
 * items.
 */
export function fieldsNobodyHas(names: readonly string[], items: readonly PromptItem[]): string[] {
  const left = new Set(names);
  for (const item of items) {
    if (left.size === 0) break;
    // Whichever is shorter: names and fields are both the caller's, and their product would be his
    // too.
    const fields = fieldNames(item);
    for (const name of fields.length < left.size ? fields : left) {
      if (fieldOf(item, name) !== undefined) left.delete(name);
    }
  }
  return [...left];
}

/**
 * Names in the template's doubled braces that some item has as a field: they would be sent as they
 * stand, the same for all.
 */
export function doubledPlaceholders(
  { userPromptTemplate }: Pick<SharedParams, 'userPromptTemplate'>,
  items: readonly PromptItem[],
): string[] {
  if (typeof userPromptTemplate !== 'string') return [];
  const meant = compileTemplate(userPromptTemplate).doubled.map((text) => ({
    text,
    names: namesMeant(text),
  }));
  if (meant.length === 0) return [];
  const missing = new Set(
    fieldsNobodyHas(
      meant.flatMap(({ names }) => names),
      items,
    ),
  );
  return meant
    .filter(({ names }) => names.some((name) => !missing.has(name)))
    .map(({ text }) => text);
}

/** Throws BadUserInput for a field that the operator has not allowed. */
function refuseExtra({ extraBody }: SharedParams, allowed: ReadonlySet<string> | null): void {
  if (allowed === null) return;
  const [other] = Object.keys(extraBody ?? {}).filter((name) => !allowed.has(name));
  if (other === undefined) return;
  const message = `must set none but ${[...allowed].join(', ')}: the operator of this server allows no other field`;
  throw new BadUserInput([{ path: 'extraBody', message }]);
}
