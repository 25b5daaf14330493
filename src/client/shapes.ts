/** GraphQL's answers in the client's words: enums in lower case, times as Dates. */

import type { BatchItem, BatchState } from './batch-types.ts';
import type { ModelQuote, Quote, Spending } from './quote-types.ts';
import type {
  BatchStatus,
  ItemErrorCode,
  ItemStatus,
  Model,
  ParsedResult,
  WinnowFile,
} from './types.ts';
import type * as wire from './wire.ts';
import type { BatchFields, FileFields, ItemFields, Operations, QuoteFields } from './wire.ts';

export function lower<Value extends string>(value: Value): Lowercase<Value> {
  return value.toLowerCase() as Lowercase<Value>;
}

/** An enum's value as GraphQL has it; those in upper case stay as they are. */
export function upper<Value extends string>(value: Value): Uppercase<Value> {
  return value.toUpperCase() as Uppercase<Value>;
}

function date(time: string): Date {
  return new Date(time);
}

function dateOrNull(time: string | null): Date | null {
  return time === null ? null : date(time);
}

const finalStatuses: readonly BatchStatus[] = ['completed', 'failed', 'cancelled', 'expired'];

/** True where a batch stays as it is until a retry. */
export function isFinal(status: BatchStatus): boolean {
  return finalStatuses.includes(status);
}

/** True where nothing goes on until somebody resumes the batch. */
export function waitsForResume({ status, resumesAt }: BatchState): boolean {
  return status === 'paused' && resumesAt === null;
}

export function toBatchState(batch: BatchFields): BatchState {
  const { pause, ...state } = batch;
  const { waiting } = state;
  return {
    ...state,
    status: lower(batch.status),
    operation: lower(batch.operation),
    execution: lower(batch.execution),
    quote: state.quote && toModelQuote(state.quote),
    waiting: waiting && {
      reason: waiting.reason,
      since: dateOrNull(waiting.since),
      until: dateOrNull(waiting.until),
    },
    pauseReason: pause && lower(pause.reason),
    pauseMessage: pause?.message ?? null,
    pausedSince: pause && date(pause.since),
    resumesAt: dateOrNull(pause?.resumesAt ?? null),
    estimatedCompletionAt: dateOrNull(batch.estimatedCompletionAt),
    rescuedAt: dateOrNull(batch.rescuedAt),
    createdAt: date(batch.createdAt),
    startedAt: dateOrNull(batch.startedAt),
    completedAt: dateOrNull(batch.completedAt),
    cancelInitiatedAt: dateOrNull(batch.cancelInitiatedAt),
    expiresAt: date(batch.expiresAt),
  };
}

export function toItem<Output>(item: ItemFields, operation: BatchState['operation']) {
  const output = operation === 'label' ? lowerMethod(item.output) : item.output;
  return { ...item, status: lower(item.status), output } as BatchItem<Output>;
}

/** The one value of an output that is an enum of Winnow's. */
function lowerMethod(output: unknown): unknown {
  if (typeof output !== 'object' || output === null) return output;
  const { confidenceMethod } = output as { confidenceMethod?: unknown };
  if (typeof confidenceMethod !== 'string') return output;
  return { ...output, confidenceMethod: confidenceMethod.toLowerCase() };
}

export function toFile(file: FileFields): WinnowFile {
  return { ...file, format: lower(file.format), createdAt: date(file.createdAt) };
}

export function toModel(model: Operations['Models']['data']['service']['models'][number]): Model {
  return { ...model, priceSource: model.priceSource && lower(model.priceSource) };
}

export function toQuote({ models, ...quote }: Operations['Quote']['data']['quote']): Quote {
  return { ...quote, models: models.map(toModelQuote) };
}

function toModelQuote(quote: QuoteFields): ModelQuote {
  return { ...quote, outputBasis: lower(quote.outputBasis) };
}

export function toSpending(spending: Operations['Spending']['data']['spending']): Spending {
  const byModel = spending.byModel.map((one) => ({ ...one, execution: lower(one.execution) }));
  return { ...spending, byModel };
}

type ParsedEntry = Operations['ParseResults']['data']['parseResults']['edges'][number]['entry'];

export function toParsed<Output>(parsed: ParsedEntry): ParsedResult<Output> {
  return { ...parsed, status: lower(parsed.status), output: parsed.output as Output | null };
}

/** One or several, as GraphQL takes them. */
export function toStatuses(
  status: ItemStatus | readonly ItemStatus[] | null | undefined,
): wire.ItemStatus[] | undefined {
  return status ? [status].flat().map((one) => upper(one)) : undefined;
}

export function toErrorCodes(
  codes: readonly (ItemErrorCode | Lowercase<ItemErrorCode>)[] | null | undefined,
): wire.ItemErrorCode[] | undefined {
  return codes?.map((one) => upper(one));
}
