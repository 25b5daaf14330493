/** Batches for the tests of this folder. They assert nothing. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BatchApi, BatchInput, BatchLine, Job } from '../../src/model/batch-api.ts';
import type { Model } from '../../src/model/model.ts';
import { ModelError } from '../../src/model/model-error.ts';
import type { ModelRequest, PromptRequest } from '../../src/model/request.ts';
import type { Sandbox } from '../../src/sandbox/faults/sandbox.ts';
import { text } from './support.ts';

/** A signal that never fires. */
export const calm = () => new AbortController().signal;

export function batchesOf(model: Model): BatchApi {
  if (!model.batches) throw new Error(`${model.id} has no batch API`);
  return model.batches;
}

export function asking(content: string, more: Partial<PromptRequest> = {}): PromptRequest {
  return { ...text, messages: [{ role: 'user', content }], ...more };
}

type OnFinished = (end: () => Promise<void>) => void;

/** A file with these lines, gone with the test. */
export async function inputOf(
  onTestFinished: OnFinished,
  lines: readonly string[],
  jobId = 'job-1',
): Promise<BatchInput> {
  const directory = await mkdtemp(join(tmpdir(), 'winnow-batch-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'input');
  const content = lines.map((line) => `${line}\n`).join('');
  await writeFile(path, content);
  return { path, bytes: Buffer.byteLength(content), requests: lines.length, jobId };
}

/** `row-1` and on, one for each request. */
export function linesOf(api: BatchApi, requests: readonly ModelRequest[]): string[] {
  return requests.map((request, i) => api.encode(`row-${i + 1}`, request));
}

/** Uploads and creates. */
export async function submit(api: BatchApi, input: BatchInput): Promise<Job> {
  const inputId = await api.upload(input, calm());
  return api.create({ jobId: input.jobId, inputId, input }, calm());
}

/** The job as it is when it has come to an end, whatever that is. */
export async function ended(sandbox: Sandbox, api: BatchApi, id: string): Promise<Job> {
  const ends = ['completed', 'failed', 'expired', 'cancelled'];
  await sandbox.until(({ batches }) =>
    batches.created.some((batch) => batch.id === id && ends.includes(batch.stage)),
  );
  return api.retrieve(id, calm());
}

export async function linesIn(
  api: BatchApi,
  { results }: Pick<Job, 'results'>,
  { whole = false, signal = calm() } = {},
): Promise<BatchLine[]> {
  if (results === null) throw new Error('The job has no results.');
  const lines: BatchLine[] = [];
  for await (const line of api.results(results, { whole, signal })) lines.push(line);
  return lines;
}

/** `kind customId` of each line, in order of the ids. */
export function kindsOf(lines: readonly BatchLine[]): string[] {
  return lines
    .map((line) => ('customId' in line ? `${line.kind} ${line.customId}` : line.kind))
    .sort();
}

/** The ModelError that a call ends in. Throws when it ends otherwise. */
export async function refused(call: Promise<unknown>): Promise<ModelError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('The call succeeded.');
}
