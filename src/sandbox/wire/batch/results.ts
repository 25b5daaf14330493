/** The lines that a batch writes, and what an outcome makes of them. */
import { isObject } from '../../rules/json-schema.ts';
import type { Outcome } from './outcomes.ts';

export type ResultFile = 'output' | 'error';

export interface Results {
  add(file: ResultFile, line: object): void;
  /** The files with at least one line. */
  finish(): [ResultFile, Buffer[]][];
}

/** Lines are joined to pieces of about this size: fewer objects, and none too large to copy. */
const PIECE_CHARACTERS = 256 * 1024;

export function createResults(outcome: Outcome | null): Results {
  const files = { output: createPieces(), error: createPieces() };
  const again: [ResultFile, string][] = [];
  let left = outcome && 'count' in outcome ? (outcome.count ?? 1) : 1;
  let sample: object | null = null;

  return {
    add(file, line) {
      sample ??= line;
      const text = JSON.stringify(line);
      const hit = left > 0;
      if (hit) left--;
      switch (hit ? outcome?.kind : undefined) {
        case 'missing_results':
          return;
        case 'duplicate_results':
          again.push([file, text]);
          files[file].add(text);
          return;
        case 'anonymous_results':
          files[file].add(JSON.stringify({ ...line, custom_id: undefined }));
          return;
        case 'garbled_results':
          files[file].add(text.slice(0, Math.ceil(text.length / 2)));
          return;
        default:
          files[file].add(text);
      }
    },
    finish() {
      for (const [file, text] of again) files[file].add(text);
      if (outcome?.kind === 'foreign_results' && isObject(sample)) {
        for (let i = 1; i <= (outcome.count ?? 1); i++)
          files.output.add(JSON.stringify({ ...sample, custom_id: `unasked-${i}` }));
      }
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
      if (text.length >= PIECE_CHARACTERS) flush();
    },
    all() {
      flush();
      return pieces;
    },
  };
}
