/** Bytes to upload: a path, a Blob or a stream. */
import { runtime } from './settings.ts';

/** A path is read by Node, Deno and Bun; a browser has none. */
export type UploadSource = string | Blob | ReadableStream<Uint8Array>;

export interface Upload {
  /** Null where the source has none. */
  name: string | null;
  contentType: string | null;
  totalBytes: number | null;
  /** True where it can be read again, and so be sent again. */
  again: boolean;
  /** The rest, to be sent whole where fetch cannot send a stream. */
  blob: (() => Promise<Blob>) | null;
  open(): AsyncIterable<Uint8Array>;
}

interface NodeFiles {
  createReadStream(path: string): AsyncIterable<Uint8Array>;
  promises: { stat(path: string): Promise<{ size: number }> };
}

/** Throws what the system throws for a path that cannot be read. */
export async function openSource(source: UploadSource): Promise<Upload> {
  if (typeof source === 'string') return await openPath(source);
  if (source instanceof Blob) {
    return {
      name: 'name' in source ? String(source.name) : null,
      contentType: source.type || null,
      totalBytes: source.size,
      again: true,
      blob: async () => source,
      open: () => piecesOf(source.stream()),
    };
  }
  return {
    name: null,
    contentType: null,
    totalBytes: null,
    again: false,
    blob: () => new Response(source as ReadableStream<Uint8Array<ArrayBuffer>>).blob(),
    open: () => piecesOf(source),
  };
}

async function openPath(path: string): Promise<Upload> {
  // An import would be looked for by those who bundle for browsers.
  const files = runtime()?.getBuiltinModule?.('node:fs') as NodeFiles | undefined;
  if (!files) throw new TypeError('A path can be uploaded by Node, Deno and Bun; use a Blob here');
  const { size } = await files.promises.stat(path);
  return {
    name: path.split(/[/\\]/).at(-1) ?? null,
    contentType: null,
    totalBytes: size,
    again: true,
    blob: null,
    open: () => files.createReadStream(path),
  };
}

async function* piecesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
