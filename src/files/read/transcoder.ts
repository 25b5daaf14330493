/** Bytes of one encoding in, UTF-8 out. */
export interface Transcoder {
  /** The encoding of the bytes, as the API names it. */
  readonly encoding: string;
  /** UTF-8 of the next bytes of the file. */
  push(chunk: Buffer): Buffer;
  /** The bytes that were still waiting for their other half. */
  end(): Buffer;
}

export const noBytes = Buffer.alloc(0);

/** Bytes that are UTF-8, or are to be. */
export const asItIs: Transcoder = {
  encoding: 'utf-8',
  push: (chunk) => chunk,
  end: () => noBytes,
};
