/** Downloads of a batch's answers, which go on where they broke off. */
import { type Framing, frameArray, frameCounted, frameLines } from './framing.ts';
import { createTries } from './retry.ts';
import { isFinal, lower } from './shapes.ts';
import { readPieces, type Transport } from './transport.ts';
import type { CallOptions, ItemStatus } from './types.ts';

/** Formats of the route GET /batches/{id}/output. */
export type OutputFormat = 'csv' | 'json' | 'jsonl' | 'openai_jsonl' | 'anthropic_jsonl';

/** Which answers are asked for. Absent: all items, also those without an answer. */
export interface AnswerOptions {
  /**
   * Only succeeded items with one of these labels, at most 1,000; none for an empty list. Throws
   * BadUserInput where the operation has no labels.
   */
  labels?: readonly string[] | undefined;
  /** Only succeeded items whose confidence is less than this, 0 to 1. */
  confidenceBelow?: number | undefined;
  /** Only succeeded items whose confidence is this or more, 0 to 1. */
  confidenceFrom?: number | undefined;
}

export interface OutputOptions extends CallOptions, AnswerOptions {
  /** Only items with one of these statuses. Absent: all. */
  status?: ItemStatus | readonly ItemStatus[] | undefined;
  /** json, jsonl: what was read, what was or would be sent, how often. csv: the row's number. */
  include?: readonly ('input' | 'request' | 'row' | 'attempts')[] | undefined;
  /** json, jsonl: camel is what GraphQL calls the members. Absent: snake. */
  names?: 'snake' | 'camel' | undefined;
  /** csv: keep leaves text as it is that a spreadsheet would run. */
  formulas?: 'defuse' | 'keep' | undefined;
  /** csv: begins with a byte order mark, for Excel. */
  bom?: boolean | undefined;
  /** csv: between the cells. */
  delimiter?: ',' | ';' | '|' | 'tab' | undefined;
}

/**
 * The bytes of an output. One that has begun outlives a server that is restarted. Throws a
 * WinnowError.
 */
export async function* readOutput(
  transport: Transport,
  batchId: string,
  format: OutputFormat,
  { signal, ...options }: OutputOptions,
): AsyncGenerator<Uint8Array, void> {
  const { maxRetries, maxStreamRetries, timeoutMs: silenceMs, url } = transport.settings;
  const framing = framingOf(format, options);
  let tries = createTries(maxRetries, signal);
  let hasBegun = false;
  let after: number | null = null;
  /** Why what was given is read once more, from the start. */
  let broken: unknown = null;
  for (;;) {
    try {
      // It is the same again only where nothing changes any more.
      if (broken !== null && !(await hasEnded(transport, batchId, signal))) {
        tries = createTries(0);
        throw broken;
      }
      const path = outputPath(batchId, format, options, after);
      const opened = await transport.open(path, () => ({}), { signal });
      for await (const piece of readPieces(opened, { url, silenceMs })) {
        const whole = framing.take(piece);
        if (whole.length === 0) continue;
        if (!hasBegun) tries = createTries(maxStreamRetries, signal);
        hasBegun = true;
        tries.worked();
        yield whole;
      }
      const rest = framing.rest();
      if (rest.length > 0) yield rest;
      return;
    } catch (error) {
      await tries.failed(error);
      after = framing.resume();
      broken = hasBegun && after === null ? error : null;
    }
  }
}

async function hasEnded(transport: Transport, id: string, signal?: AbortSignal): Promise<boolean> {
  const { batch } = await transport.ask('Batch', { id }, { signal });
  return batch !== null && isFinal(lower(batch.status));
}

function framingOf(format: OutputFormat, options: OutputOptions): Framing {
  if (format === 'jsonl') return frameLines();
  if (format === 'json') return frameArray();
  const hasHeader = format === 'csv';
  return frameCounted({ hasHeader, isWhole: hasHeader && !isFiltered(options) });
}

function isFiltered(options: OutputOptions): boolean {
  const { status, labels, confidenceBelow, confidenceFrom } = options;
  return [status, labels, confidenceBelow, confidenceFrom].some((given) => given !== undefined);
}

function outputPath(
  batchId: string,
  format: OutputFormat,
  options: OutputOptions,
  after: number | null,
): string {
  const { status, labels, confidenceBelow, confidenceFrom } = options;
  const { include = [], names, formulas, bom, delimiter } = options;
  const query = new URLSearchParams({ format });
  if (status !== undefined) query.set('status', [status].flat().join(','));
  // No item has an empty label, so that it stands for an empty list.
  for (const label of labels?.length === 0 ? [''] : (labels ?? [])) query.append('label', label);
  if (confidenceBelow !== undefined) query.set('confidence_below', String(confidenceBelow));
  if (confidenceFrom !== undefined) query.set('confidence_from', String(confidenceFrom));
  if (include.length > 0) query.set('include', include.join(','));
  if (names !== undefined) query.set('names', names);
  if (formulas !== undefined) query.set('formulas', formulas);
  if (bom) query.set('bom', 'true');
  if (delimiter !== undefined) query.set('delimiter', delimiter);
  if (after !== null) query.set('after', String(after));
  return `/batches/${encodeURIComponent(batchId)}/output?${query}`;
}

/** The same as a stream of the web. Cancelling it ends the download. */
export function streamOutput(
  transport: Transport,
  batchId: string,
  format: OutputFormat,
  { signal, ...options }: OutputOptions,
): ReadableStream<Uint8Array> {
  const left = new AbortController();
  const either = signal ? AbortSignal.any([signal, left.signal]) : left.signal;
  const pieces = readOutput(transport, batchId, format, { ...options, signal: either });
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await pieces.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      left.abort();
      await pieces.return();
    },
  });
}

export async function toText(pieces: AsyncGenerator<Uint8Array, void>): Promise<string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let text = '';
  for await (const piece of pieces) text += decoder.decode(piece, { stream: true });
  return text + decoder.decode();
}
