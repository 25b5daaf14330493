/** Files and outputs as objects of OpenAI's API, and their ids. */
import { isId } from '../../core/ids.ts';
import type { BatchRecord } from '../../db/batches.ts';
import type { ListedFile } from '../../db/file-list.ts';
import type { FileRecord } from '../../db/files.ts';
import type { OutputKind } from '../../db/output-files.ts';

/** The thing that an id names: an uploaded file, or an output of a batch. */
export type FileName =
  | { kind: 'input'; id: string }
  /** `id` is the batch's. */
  | { kind: OutputKind; id: string };

/** Null for what cannot be the id of a file. */
export function parseFileId(id: string): FileName | null {
  if (isId('file', id)) return { kind: 'input', id };
  const [, prefix, rest] = /^file_(out|err)_([0-9a-z]{25})$/.exec(id) ?? [];
  if (rest === undefined) return null;
  return { kind: prefix === 'out' ? 'output' : 'errors', id: `batch_${rest}` };
}

/** The id of an output of a batch. */
export function outputFileId(batchId: string, kind: OutputKind): string {
  return `file_${kind === 'output' ? 'out' : 'err'}_${batchId.slice('batch_'.length)}`;
}

/** An uploaded file. One of POST /files says by its format what it is for. */
export function describeFile(file: FileRecord): object {
  return describe({
    id: file.id,
    purpose: file.purpose ?? (file.format === 'OPENAI_JSONL' ? 'batch' : 'user_data'),
    filename: file.name,
    bytes: file.sizeBytes,
    createdAt: file.createdAt,
    expiresAt: file.expiresAt,
  });
}

/** An output of a batch that has ended. */
export function describeOutput(batch: BatchRecord, kind: OutputKind, bytes: number): object {
  return describe({
    id: outputFileId(batch.id, kind),
    purpose: 'batch_output',
    filename: outputFileName(batch.id, kind),
    bytes,
    createdAt: batch.completedAt ?? batch.createdAt,
    expiresAt: null,
  });
}

/** An entry of the list, whose bytes are known. */
export function describeListed({ kind, id, name, at, ...entry }: ListedFile, bytes: number) {
  return {
    ...describe({
      ...entry,
      id: kind === 'input' ? id : outputFileId(id, kind),
      filename: name ?? (kind === 'input' ? '' : outputFileName(id, kind)),
      bytes,
      createdAt: at,
    }),
  };
}

/** As OpenAI names them. */
export function outputFileName(batchId: string, kind: OutputKind): string {
  return `${batchId}_${kind === 'output' ? 'output' : 'error'}.jsonl`;
}

function describe(file: {
  id: string;
  purpose: string;
  filename: string;
  bytes: number;
  createdAt: Date;
  expiresAt: Date | null;
}) {
  const { id, purpose, filename, bytes, createdAt, expiresAt } = file;
  return {
    id,
    object: 'file',
    bytes,
    created_at: toSeconds(createdAt),
    expires_at: expiresAt && toSeconds(expiresAt),
    filename,
    purpose,
    status: 'processed',
    status_details: null,
  };
}

/** A time as OpenAI's API writes it: whole seconds since 1970. */
export function toSeconds(time: Date): number {
  return Math.floor(time.getTime() / 1_000);
}
