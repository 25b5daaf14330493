/** A sink that keeps rows as text, and a file read through it in chunks of any size. */

import type { RowSink } from '../../../src/files/read/block-reader.ts';
import { createFileReader, type Reading } from '../../../src/files/read/file-reader.ts';
import { type ReadLimits, readLimits } from '../../../src/files/read/limits.ts';
import type { ReadOptions } from '../../../src/files/read/read-options.ts';

export interface KeptRow {
  content: string | null;
  fields: string | null;
  customId: string | null;
  row: number;
}

/** Begins with so little room that long rows have to be begun again. */
export class KeepingSink implements RowSink {
  bytes = Buffer.alloc(64);
  readonly rows: KeptRow[] = [];
  private isFields = true;

  beginFields(): number {
    this.isFields = true;
    return 3;
  }

  beginContent(): number {
    this.isFields = false;
    return 3;
  }

  fits(at: number, customIdBytes: number): boolean {
    if (at + customIdBytes <= this.bytes.length) return true;
    this.bytes = Buffer.alloc(at + customIdBytes);
    return false;
  }

  end(at: number, customId: Uint8Array | null, start: number, end: number, row: number): void {
    const text = decode(this.bytes.subarray(3, at));
    this.rows.push({
      content: this.isFields ? null : text,
      fields: this.isFields ? text : null,
      customId: customId === null ? null : decode(customId.subarray(start, end)),
      row,
    });
  }
}

/** Throws for what Postgres would refuse. */
function decode(bytes: Uint8Array): string {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  if (text.includes('\0')) throw new Error('a NUL has come through');
  return text;
}

export function readAll(
  file: string | Uint8Array,
  {
    name = '',
    contentType = null,
    chunkBytes = Number.MAX_SAFE_INTEGER,
    limits = {},
    ...options
  }: ReadOptions & {
    name?: string;
    contentType?: string | null;
    chunkBytes?: number;
    limits?: Partial<ReadLimits>;
  } = {},
): Reading & { rows: KeptRow[] } {
  const sink = new KeepingSink();
  const reader = createFileReader({
    sink,
    name,
    contentType,
    options,
    limits: { ...readLimits, ...limits },
    // The first bytes wait for the format to be found; from there on they come in steps.
    stepBytes: chunkBytes,
  });
  const bytes = Buffer.from(file as Uint8Array);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    for (const _step of reader.push(bytes.subarray(at, at + chunkBytes)));
  }
  return { ...reader.end(), rows: sink.rows };
}
