/** All items of a batch at once. */

import type { BatchItem, BatchState } from './batch-types.ts';
import { type ItemsOptions, readItems } from './items.ts';
import { readOutput } from './output.ts';
import type { Transport } from './transport.ts';
import type { ConfidenceMethod } from './wire.ts';

/**
 * The records of `readItems`, as an array. The route gives it many times faster than pages do. It
 * has no filter by error codes, custom ids or text, and no other order: these are read page by
 * page.
 */
export async function readRecords<Output>(
  transport: Transport,
  batch: Pick<BatchState, 'id' | 'operation'>,
  options: ItemsOptions,
): Promise<BatchItem<Output>[]> {
  const { errorCodes, customIds, search, orderBy, include = [], status, signal } = options;
  const { labels, confidenceBelow, confidenceFrom } = options;
  const isPaged = errorCodes || customIds || search !== undefined || orderBy === 'confidence';
  const records: BatchItem<Output>[] = [];
  if (isPaged) {
    for await (const item of readItems<Output>(transport, batch, options)) records.push(item);
    return records;
  }
  const hasContent = include.includes('content');
  const hasMetadata = include.includes('metadata');
  const lines = readOutput(transport, batch.id, 'jsonl', {
    signal,
    status: status ?? undefined,
    labels,
    confidenceBelow,
    confidenceFrom,
    names: 'camel',
    include: [
      'attempts',
      ...(hasContent || hasMetadata ? (['input'] as const) : []),
      ...(include.includes('request') ? (['request'] as const) : []),
    ],
  });
  const decoder = new TextDecoder();
  for await (const piece of lines) {
    for (const record of parseLines(decoder.decode(piece))) {
      // The route leaves it out where no rows of the batch are identical.
      record.cached ??= false;
      if (batch.operation === 'label') lowerMethod(record.output);
      // The route gives both or neither.
      if (hasContent !== hasMetadata) delete record[hasContent ? 'metadata' : 'content'];
      records.push(record as unknown as BatchItem<Output>);
    }
  }
  return records;
}

type Fields = Record<string, unknown>;

/** Whole lines of JSON. One call for all of them takes less than one for each. */
function parseLines(lines: string): Fields[] {
  return JSON.parse(`[${lines.trimEnd().replaceAll('\n', ',')}]`) as Fields[];
}

/** Texts that all items share, and not one for each. */
const methods: Readonly<Record<string, string>> = {
  LOGPROBS: 'logprobs',
  MODEL_REPORTED: 'model_reported',
  AGREEMENT: 'agreement',
} satisfies Record<ConfidenceMethod, Lowercase<ConfidenceMethod>>;

/** The one value that is an enum of Winnow's, changed in place: nobody else has the output yet. */
function lowerMethod(output: unknown): void {
  const label = output as Fields | null;
  if (typeof label?.confidenceMethod === 'string') {
    label.confidenceMethod = methods[label.confidenceMethod] ?? label.confidenceMethod;
  }
}
