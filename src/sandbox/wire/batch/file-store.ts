/** Files in memory: what was uploaded, and what batches wrote. */
import { ApiError } from '../api-error.ts';

export type Provider = 'openai' | 'anthropic';

export interface StoredFile {
  id: string;
  /** Whose API shows it; Anthropic's input and results are files to this store only. */
  owner: Provider;
  filename: string;
  purpose: string;
  bytes: number;
  /** Unix seconds. */
  createdAt: number;
  expiresAt: number | null;
  content: readonly Buffer[];
}

export type NewFile = Omit<StoredFile, 'id' | 'bytes' | 'createdAt' | 'expiresAt'> & {
  /** Seconds until it expires; null for never. */
  lifetime: number | null;
};

export interface FileStore {
  /** Throws a 400 where the store is full of files that are in use. */
  add(file: NewFile): StoredFile;
  /** Makes room as well, but takes the file in any case: results of work that was accepted. */
  addResult(file: NewFile): StoredFile;
  get(id: string, owner: Provider): StoredFile | null;
  delete(id: string, owner: Provider): boolean;
  /** Oldest first. */
  list(owner: Provider): StoredFile[];
}

/** `maxBytes` in all; the oldest unused file makes room. */
export function createFileStore({
  maxBytes,
  inUse,
}: {
  maxBytes: number;
  inUse: (id: string) => boolean;
}): FileStore {
  const files = new Map<string, StoredFile>();
  let held = 0;
  let number = 0;

  function remove(file: StoredFile): void {
    files.delete(file.id);
    held -= file.bytes;
  }

  function makeRoom(bytes: number): void {
    for (const file of files.values()) {
      if (held + bytes <= maxBytes) return;
      if (!inUse(file.id)) remove(file);
    }
  }

  function keep({ lifetime, ...file }: NewFile, bytes: number): StoredFile {
    const createdAt = Math.floor(Date.now() / 1_000);
    const stored = {
      ...file,
      id: `file-${(++number).toString(36).padStart(22, '0')}`,
      bytes,
      createdAt,
      expiresAt: lifetime === null ? null : createdAt + lifetime,
    };
    files.set(stored.id, stored);
    held += bytes;
    return stored;
  }

  return {
    add(file) {
      const bytes = sizeOf(file);
      makeRoom(bytes);
      if (held + bytes > maxBytes)
        throw new ApiError(`The sandbox keeps at most ${maxBytes} bytes of files.`, {
          code: 'storage_quota_exceeded',
        });
      return keep(file, bytes);
    },
    addResult(file) {
      const bytes = sizeOf(file);
      makeRoom(bytes);
      return keep(file, bytes);
    },
    get(id, owner) {
      const file = files.get(id);
      return file?.owner === owner ? file : null;
    },
    delete(id, owner) {
      const file = files.get(id);
      if (file?.owner !== owner) return false;
      remove(file);
      return true;
    },
    list: (owner) => [...files.values()].filter((file) => file.owner === owner),
  };
}

function sizeOf({ content }: NewFile): number {
  return content.reduce((sum, piece) => sum + piece.length, 0);
}
