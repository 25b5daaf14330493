/** Datasets: uploaded once, read by any number of batches. */
import { found } from './found.ts';
import { readPages } from './pages.ts';
import { toFile } from './shapes.ts';
import type { Transport } from './transport.ts';
import type { CallOptions, FileFormat, WinnowFile } from './types.ts';
import { bodyOf, type UploadProgress } from './upload-body.ts';
import { openSource, type UploadSource } from './upload-source.ts';

export interface UploadOptions extends CallOptions {
  /** Name of the file. Absent: that of the source. */
  name?: string | undefined;
  /** Absent: found by name, content type and content. */
  format?: FileFormat | undefined;
  /** Column or field with the text. */
  contentField?: string | undefined;
  /** Column or field with the custom ids. Empty: the place of each row is its id. */
  customIdField?: string | undefined;
  /** Such as windows-1252. */
  charset?: string | undefined;
  /** Between the cells of a CSV. */
  delimiter?: string | undefined;
  /** `"` where cells of a CSV can be quoted, none where quotes are text. */
  quote?: '"' | 'none' | undefined;
  /** Member that holds the rows, of a JSON file that is one object. */
  rowsField?: string | undefined;
  /** Told after each piece. A browser tells of the beginning and of the end alone. */
  onProgress?: ((progress: UploadProgress) => void) | undefined;
}

export class Files {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Uploads a path, a Blob or a stream of up to 100 MB. A path and a Blob are sent again where the
   * connection is lost. Throws BadUserInput for a file that cannot be read.
   */
  async upload(
    source: UploadSource,
    { signal, onProgress, ...options }: UploadOptions = {},
  ): Promise<WinnowFile> {
    const upload = await openSource(source);
    const name = options.name ?? upload.name;
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries({ ...options, name })) {
      if (value !== undefined && value !== null) query.set(key, value);
    }
    const body = await bodyOf(upload, onProgress);
    const call = { signal, again: upload.again };
    const { id } = await this.#transport.send<{ id: string }>(`/files?${query}`, body.sent, call);
    body.arrived();
    return await this.get(id, { signal });
  }

  /** Throws NotFound for an unknown id. */
  async get(id: string, { signal }: CallOptions = {}): Promise<WinnowFile> {
    const { file } = await this.#transport.ask('File', { id }, { signal, again: true });
    return toFile(found(file, 'file', id));
  }

  /** All files of the owner, newest first. */
  async *list({ signal }: CallOptions = {}): AsyncGenerator<WinnowFile, void> {
    const read = async (page: { first: number; after: string | null }) =>
      (await this.#transport.ask('Files', page, { signal, again: true })).files;
    for await (const file of readPages(read, listPage)) yield toFile(file);
  }

  /** Deletes a file with its rows. Throws Conflict while a batch uses it. */
  async delete(id: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#transport.ask('DeleteFile', { id }, { signal });
  }
}

/** Each entry has up to 1,000 rejections. */
const listPage = 100;
