/** The one request that all contestants send for an item, and what they store of the answer. */
import type { PromptRequest } from '../../src/model/request.ts';
import { findOperation } from '../../src/operations/index.ts';

export const categories = ['praise', 'complaint'];

/** The operation that the batch runs, as `submitBatch` takes it. */
export const operationInput = { label: { categories } };

const operation = findOperation('label')?.prepare({ categories });
if (!operation || operation.body) throw new Error('label is an operation of prompts');
const { messages, format, logprobs } = operation;

/** The request for a text: what a batch sends, word for word. */
export function requestFor(text: string): PromptRequest {
  return { messages: messages({ content: text, metadata: null }), format, logprobs };
}

export const modelName = 'model';

/** An item as it stands in the uploaded file and in a queue. */
export interface BenchItem {
  id: string;
  text: string;
}
