/** The lines that a batch writes. */
import type { ResultLines } from '../equipment.ts';

export type ResultFile = 'output' | 'error';

export interface Results {
  add(file: ResultFile, line: object): void;
  /** The files with at least one line. */
  finish(): [ResultFile, Buffer[]][];
}

/** Lines are joined to pieces of about this size: fewer objects, and none too large to copy. */
const pieceCharacters = 256 * 1024;

/** `lines` writes other lines than those that are added. */
export function createResults(lines?: ResultLines): Results {
  const files = { output: createPieces(), error: createPieces() };
  return {
    add(file, line) {
      for (const text of lines?.add(file, line) ?? [JSON.stringify(line)]) files[file].add(text);
    },
    finish() {
      for (const [file, text] of lines?.finish() ?? []) files[file].add(text);
      return (['output', 'error'] as const)
        .map((file): [ResultFile, Buffer[]] => [file, files[file].all()])
        .filter(([, pieces]) => pieces.length > 0);
    },
  };
}

function createPieces(): { add(line: string): void; all(): Buffer[] } {
  const pieces: Buffer[] = [];
  let text = '';
  function flush(): void {
    if (text !== '') pieces.push(Buffer.from(text));
    text = '';
  }
  return {
    add(line) {
      text += `${line}\n`;
      if (text.length >= pieceCharacters) flush();
    },
    all() {
      flush();
      return pieces;
    },
  };
}
