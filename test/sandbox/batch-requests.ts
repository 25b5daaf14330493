/** Batches for the sandbox's tests, as OpenAI's own client makes them. */
import type OpenAI from 'openai';
import { toFile } from 'openai';
import type { Sandbox } from '../../src/sandbox/faults/sandbox.ts';
import { labelRequest } from './requests.ts';

export interface ResultLine {
  id: string;
  custom_id: string;
  response: {
    status_code: number;
    request_id: string;
    body: OpenAI.ChatCompletion & { error?: { message: string; code: string | null } };
  } | null;
  error: { code: string; message: string } | null;
}

export function batchLine(customId: string, text: string, more: object = {}): string {
  return JSON.stringify({
    custom_id: customId,
    method: 'POST',
    url: '/v1/chat/completions',
    body: labelRequest(text),
    ...more,
  });
}

/** `count` good rows, "row-1" and on. */
export function batchLines(count: number): string[] {
  return Array.from({ length: count }, (_, i) => batchLine(`row-${i + 1}`, `text ${i + 1}, great`));
}

export async function upload(client: OpenAI, lines: readonly string[]): Promise<OpenAI.FileObject> {
  return client.files.create({
    file: await toFile(Buffer.from(lines.join('\n')), 'input.jsonl'),
    purpose: 'batch',
  });
}

export async function createBatch(
  client: OpenAI,
  lines: readonly string[],
  metadata: Record<string, string> = {},
): Promise<OpenAI.Batch> {
  const { id } = await upload(client, lines);
  return client.batches.create({
    input_file_id: id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
    metadata,
  });
}

/** The batch as it is when it has come to an end, whatever that is. */
export async function ended(sandbox: Sandbox, client: OpenAI, id: string): Promise<OpenAI.Batch> {
  const ends = ['completed', 'failed', 'expired', 'cancelled'];
  await sandbox.until(({ batches }) =>
    batches.created.some((batch) => batch.id === id && ends.includes(batch.stage)),
  );
  return client.batches.retrieve(id);
}

export async function download(
  client: OpenAI,
  fileId: string | null | undefined,
): Promise<ResultLine[]> {
  if (!fileId) return [];
  const content = await (await client.files.content(fileId)).text();
  return content
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ResultLine);
}

export function idsOf(lines: readonly { custom_id: string }[]): string[] {
  return lines.map(({ custom_id }) => custom_id).sort();
}
