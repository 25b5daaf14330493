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

/** Refuses a file that has more bytes than a file may have. */
export function fileTooLong(maxBytes: number): UnreadableFile {
  return new UnreadableFile(
    'too_large',
    `The file has more than ${maxBytes.toLocaleString('en')} bytes; split it`,
  );
}

/** Refuses a file of no bytes. */
export function emptyFile(): UnreadableFile {
  return new UnreadableFile('invalid', 'The file is empty');
}
