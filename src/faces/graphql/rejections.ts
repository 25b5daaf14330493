/** Rows refused at upload, read by one statement for all fields of a page. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { readRejections } from '../../db/files.ts';
import type { Budget } from './budget.ts';
import type { Context } from './context.ts';

export interface Rejection {
  row: number;
  reason: string;
}

interface Asked {
  resolve(rejections: Rejection[]): void;
  reject(reason: unknown): void;
}

type Asking = Pick<Context, 'db' | 'budget'>;

/** By request: who waits for which file. */
const asked = new WeakMap<Budget, Map<bigint, Asked[]>>();

/** The rejections of a file. Throws PAYLOAD_TOO_LARGE where the request asks for too much. */
export function loadRejections(context: Asking, fileKey: bigint): Promise<Rejection[]> {
  return new Promise((resolve, reject) => {
    let files = asked.get(context.budget);
    if (!files) {
      files = new Map();
      asked.set(context.budget, files);
      // Behind this turn, in which all files of a page are asked for.
      setImmediate(() => void answerAll(context));
    }
    const waiting = files.get(fileKey);
    if (waiting) waiting.push({ resolve, reject });
    else files.set(fileKey, [{ resolve, reject }]);
  });
}

/** Never rejects: who waits is told. */
async function answerAll({ db, budget }: Asking): Promise<void> {
  const files = new Map(asked.get(budget));
  asked.delete(budget);
  const waiting = new Set([...files.values()].flat());
  try {
    const { rows } = await budget.readWhole((maxBytes) =>
      readRejections(db.sql, [...files.keys()], maxBytes),
    );
    for (const { key, rejections } of rows) {
      const bytes = Buffer.byteLength(rejections);
      const parsed = JSON.parse(rejections) as Rejection[];
      for (const one of files.get(key) ?? []) {
        budget.send(bytes, null);
        one.resolve(parsed);
        waiting.delete(one);
        // A thousand of them are made an answer of in one go, and others wait for that.
        await nextTurn();
      }
    }
    // Of files that have gone meanwhile.
    for (const { resolve } of waiting) resolve([]);
  } catch (reason) {
    for (const { reject } of waiting) reject(reason);
  }
}
