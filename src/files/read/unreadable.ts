/**
 * A file that is refused as a whole: `invalid` can be corrected, `too_large` can be split,
 * `unsupported` must be converted. The message is for its owner, and holds no row of the file.
 */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
  readonly kind: 'invalid' | 'too_large' | 'unsupported';

  constructor(kind: UnreadableFile['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Refuses a file for one row that has more bytes than a row may have. */
export function rowTooLong(maxBytes: number): UnreadableFile {
  return new UnreadableFile(
    'too_large',
    `A row of the file has more than ${maxBytes.toLocaleString('en')} bytes`,
  );
}
