/** The calls of the demo to the public API. */
import type { Client } from './client.ts';
import type { Dataset } from './dataset.ts';

export interface BatchState {
  id: string;
  status: string;
  model: string;
  error: string | null;
  progress: number;
  itemsPerSecond: number | null;
  estimatedCompletionAt: string | null;
  startedAt: string | null;
  completedAt: string | null;
  counts: { total: number; succeeded: number; failed: number; processing: number };
  usage: {
    requests: number;
    inputTokens: number;
    cachedInputTokens: number;
    outputTokens: number;
    costUsd: number | null;
  };
  errorSummary: { code: string; count: number; message: string }[];
}

const batchFields = `fragment state on Batch {
  id status model error progress itemsPerSecond estimatedCompletionAt startedAt completedAt
  counts { total succeeded failed processing }
  usage { requests inputTokens cachedInputTokens outputTokens costUsd }
  errorSummary { code count message }
}`;

const submitDocument = `mutation Submit($input: SubmitBatchInput!) {
  submitBatch(input: $input) { batch { id } }
}`;

const watchDocument = `subscription Watch($id: ID!) { batchProgress(id: $id) { ...state } } ${batchFields}`;

const unfinishedDocument = `query Unfinished {
  batches(first: 1000, filter: { status: [DRAFT, QUEUED, PROCESSING] }) { edges { node { id } } }
}`;

const cancelDocument = 'mutation Cancel($id: ID!) { cancelBatch(id: $id) { batch { id } } }';

/** The id of the new batch. */
export async function submitQuestions(
  client: Client,
  { questions, categories }: Dataset,
  signal: AbortSignal,
): Promise<string> {
  const input = {
    name: 'Demo: bank questions by intent',
    operation: { label: { categories } },
    source: { items: questions },
  };
  const { submitBatch } = await client.request<{ submitBatch: { batch: { id: string } } }>(
    submitDocument,
    { input },
    signal,
  );
  return submitBatch.batch.id;
}

/** The batch now and after every change; the final state comes last. */
export async function* watchBatch(
  client: Client,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<BatchState, void> {
  const events = client.subscribe<{ batchProgress: BatchState }>(watchDocument, { id }, signal);
  for await (const { batchProgress } of events) yield batchProgress;
}

export async function cancelBatch(client: Client, id: string): Promise<void> {
  await client.request(cancelDocument, { id }, null);
}

/** Cancels the batches of a killed run: they must not run, and cost money, beside a new one. */
export async function cancelUnfinished(client: Client, signal: AbortSignal): Promise<void> {
  const { batches } = await client.request<{ batches: { edges: { node: { id: string } }[] } }>(
    unfinishedDocument,
    {},
    signal,
  );
  for (const { node } of batches.edges) await cancelBatch(client, node.id);
}
