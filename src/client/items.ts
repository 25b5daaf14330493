/** Items of a batch: in input order, or as they finish. */

import type { BatchItem, BatchState } from './batch-types.ts';
import { follow } from './events.ts';
import { found } from './found.ts';
import type { AnswerOptions } from './output.ts';
import { readPages } from './pages.ts';
import { toErrorCodes, toItem, toStatuses, upper } from './shapes.ts';
import type { Transport } from './transport.ts';
import type { CallOptions, ItemErrorCode, ItemStatus } from './types.ts';

/** Fields of an item beside its answer. */
export type ItemInclude = 'content' | 'metadata' | 'request';

export interface ResultsOptions extends CallOptions {
  /** Only results behind this `cursor` of an earlier stream. Absent: all. */
  after?: string | null | undefined;
  include?: readonly ItemInclude[] | undefined;
}

export interface ItemsOptions extends CallOptions, AnswerOptions {
  /** Only items with one of these statuses. Absent: all. */
  status?: ItemStatus | readonly ItemStatus[] | undefined;
  /** Only items that failed with one of these codes. Absent: all. */
  errorCodes?: readonly (ItemErrorCode | Lowercase<ItemErrorCode>)[] | undefined;
  /** Only items with these custom ids, at most 1,000. Absent: all. */
  customIds?: readonly string[] | undefined;
  /**
   * Only items with this text in their input or in their output, in either case. 1 to 200
   * characters.
   */
  search?: string | undefined;
  /**
   * confidence: the least sure answer first, without items that have no confidence. Absent: the
   * order of the input.
   */
  orderBy?: 'index' | 'confidence' | undefined;
  include?: readonly ItemInclude[] | undefined;
}

/** Items as they finish. */
export interface ResultStream<Output> extends AsyncGenerator<BatchItem<Output>, void> {
  /** Where another stream goes on. Behind it lies nothing that was read in part only. */
  readonly cursor: string | null;
}

type Which = Pick<BatchState, 'id' | 'operation'>;

export function readItems<Output>(
  transport: Transport,
  { id, operation }: Which,
  { signal, status, errorCodes, include, orderBy, ...filters }: ItemsOptions,
): AsyncGenerator<BatchItem<Output>, void> {
  const { customIds, labels, confidenceBelow, confidenceFrom, search } = filters;
  const variables = {
    id,
    status: toStatuses(status),
    errorCodes: toErrorCodes(errorCodes),
    customIds,
    labels,
    confidenceBelow,
    confidenceFrom,
    search,
    orderBy: orderBy && upper(orderBy),
    ...parts(include),
  };
  const items = readPages(async (page) => {
    const call = { signal, again: true };
    const { batch } = await transport.ask('BatchItems', { ...variables, ...page }, call);
    return found(batch, 'batch', id).items;
  });
  return mapped(items, (item) => toItem<Output>(item, operation));
}

export function readResults<Output>(
  transport: Transport,
  { id, operation }: Which,
  { signal, after, include }: ResultsOptions,
): ResultStream<Output> {
  /** Behind all that came: what the connection goes on with. */
  let arrived = after ?? null;
  /** Behind all that was read. */
  let cursor = arrived;

  async function* read(): AsyncGenerator<BatchItem<Output>, void> {
    const variables = () => ({ id, after: arrived, ...parts(include) });
    for await (const { batchResults } of follow(transport, 'BatchResults', variables, signal)) {
      arrived = batchResults.cursor;
      for (const item of batchResults.items) yield toItem<Output>(item, operation);
      cursor = batchResults.cursor;
    }
  }

  const items = read();
  return Object.defineProperty(items, 'cursor', { get: () => cursor }) as ResultStream<Output>;
}

function parts(include: readonly ItemInclude[] = []) {
  return {
    content: include.includes('content'),
    metadata: include.includes('metadata'),
    request: include.includes('request'),
  };
}

async function* mapped<From, To>(
  entries: AsyncGenerator<From, void>,
  to: (entry: From) => To,
): AsyncGenerator<To, void> {
  for await (const entry of entries) yield to(entry);
}
