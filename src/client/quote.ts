/** The expected cost and time of an operation, asked before there is a batch. */
import type { Files } from './files.ts';
import { splitOperation } from './inputs.ts';
import type { Quote } from './quote-types.ts';
import { toQuote } from './shapes.ts';
import { readSource, uploadItems } from './source.ts';
import type { OneOperation, Source } from './submit-types.ts';
import type { Transport } from './transport.ts';
import type { CallOptions } from './types.ts';
import type { SourceInput } from './wire.ts';

interface QuoteSettings extends CallOptions {
  /** An array of more than 10,000 is uploaded as a file, which is deleted again. */
  source: Source;
  /** Models to compare, 1 to 10, as provider/name. Absent: the one of the operation. */
  models?: readonly string[] | null | undefined;
  /** Column or field of the file with the text. */
  contentField?: string | null | undefined;
  /** False: each of identical items is asked. Absent: as the operation does by itself. */
  deduplicate?: boolean | null | undefined;
}

/** A quote of exactly one operation, written as for a submit. */
export type QuoteOptions = OneOperation<QuoteSettings>;

/** Throws BadUserInput for a wrong input and NotFound for an unknown file. */
export async function readQuote(
  transport: Transport,
  files: Files,
  options: QuoteOptions,
): Promise<Quote> {
  const { operation, rest } = splitOperation<QuoteSettings>(options);
  const { source, signal, ...settings } = rest;
  const ask = async (sourceInput: SourceInput) => {
    const input = { ...settings, operation, source: sourceInput };
    const { quote } = await transport.ask('Quote', { input }, { signal, again: true });
    return toQuote(quote);
  };
  const ready = readSource(source);
  if ('input' in ready) return await ask(ready.input);
  const { id } = await uploadItems(files, ready.items, signal);
  try {
    return await ask({ fileId: id });
  } finally {
    await files.delete(id).catch(() => undefined); // the answer, or its failure, matters more
  }
}
