/**
 * What was refused of files at upload: read a group of files a statement, whichever fields of a
 * page ask for it.
 */
import { readRejections } from '../db/files.ts';
import { AppError } from '../errors.ts';
import type { Context } from './context.ts';

export interface Rejection {
  row: number;
  reason: string;
}

/** Files of one statement: of each there may be 300 kB. */
const filesAtOnce = 50;
/** Of what is asked for in one turn; fifty files with a thousand rejections each. */
const maxBytes = 16 * 1_048_576;

interface Asked {
  resolve(rejections: Rejection[]): void;
  reject(reason: unknown): void;
}

type Access = Pick<Context, 'db'>;

/** By request: who waits for which file. */
const asked = new WeakMap<Access['db'], Map<bigint, Asked[]>>();

/**
 * The rejections of a file. Throws PAYLOAD_TOO_LARGE where those of all files of a page are too
 * much.
 */
export function loadRejections({ db }: Access, fileKey: bigint): Promise<Rejection[]> {
  return new Promise((resolve, reject) => {
    let files = asked.get(db);
    if (!files) {
      files = new Map();
      asked.set(db, files);
      // Behind this turn, in which all files of a page are asked for.
      setImmediate(() => void answerAll(db));
    }
    const waiting = files.get(fileKey);
    if (waiting) waiting.push({ resolve, reject });
    else files.set(fileKey, [{ resolve, reject }]);
  });
}

/** Never rejects: who waits is told. */
async function answerAll(db: Access['db']): Promise<void> {
  const files = [...(asked.get(db) ?? [])];
  asked.delete(db);
  let left = maxBytes;
  let failure: { reason: unknown } | null = null;
  for (let at = 0; at < files.length; at += filesAtOnce) {
    const group = files.slice(at, at + filesAtOnce);
    try {
      // What is too much is not read on for.
      if (failure) throw failure.reason;
      left = await answer(db, group, left);
    } catch (reason) {
      failure ??= { reason };
      for (const { reject } of group.flatMap(([, waiting]) => waiting)) reject(reason);
    }
  }
}

/** Returns how many bytes are left. */
async function answer(
  { sql }: Access['db'],
  group: readonly (readonly [bigint, readonly Asked[]])[],
  bytes: number,
): Promise<number> {
  let left = bytes;
  const keys = group.map(([key]) => key);
  const texts = await readRejections(sql, keys);
  for (const [key, waiting] of group) {
    const text = texts.get(key) ?? '[]';
    for (const { resolve } of waiting) {
      left -= text.length;
      if (left < 0) throw tooMuch();
      resolve(JSON.parse(text) as Rejection[]);
    }
  }
  return left;
}

function tooMuch(): AppError {
  return new AppError(
    'PAYLOAD_TOO_LARGE',
    'The rejections of these files are more than one answer holds; ask for fewer files at once',
  );
}
