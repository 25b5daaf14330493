/** The answers in an uploaded file of a provider's batch results, parsed and validated. */
import { createHash } from 'node:crypto';
import { InvalidOutput, type ItemError, itemMessage } from '../core/errors.ts';
import { parseKeepingNumbers } from '../core/exact-json.ts';
import { createRecent } from '../core/recent.ts';
import { createSpentMemory } from '../core/spent-memory.ts';
import type { Sql } from '../db/driver/client.ts';
import { readFileRows, type StoredRow } from '../db/file-rows.ts';
import type { ItemStatus } from '../db/item-filter.ts';
import { rejectedAnswer } from '../engine/run/rejected-answer.ts';
import { readResultLine } from '../model/result-line.ts';
import { writtenText } from '../operations/chat.ts';
import type { CheckTime } from '../operations/check-time.ts';
import { createAnswerReader, type GivenAnswer } from '../operations/given-answer.ts';

/** A line's result, beside the request that it answers. */
export interface ParsedResult {
  index: number;
  customId: string;
  status: ItemStatus;
  /** Null unless it succeeded. */
  output: unknown;
  /** Null unless it failed. */
  error: ItemError | null;
  /** The beginning of an answer that was refused; null where none was. */
  rejectedAnswer: string | null;
  /** Length of its line in the file. */
  bytes: number;
}

/** A file of results, and the answer schema that they are held to, if any. */
export interface ResultSource {
  fileKey: bigint;
  schema: Record<string, unknown> | null;
}

/** Rows read at a time, and their bytes: a row may have 10 MB. */
const stepRows = 500;
const stepBytes = 4_194_304;
/** Others get their turn after this time. */
const turnMs = 3;

/** The results behind an index (-1: all) in the file's order, read as they are taken. */
export async function* parseResults(
  sql: Sql,
  { fileKey, schema }: ResultSource,
  { afterIndex, signal, time }: { afterIndex: number; signal: AbortSignal; time: CheckTime },
): AsyncGenerator<ParsedResult, void, undefined> {
  const read = createAnswerReader(schema, time);
  const spent = createSpentMemory();
  let after = afterIndex;
  let turnAt = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    const rows = await readFileRows(sql, fileKey, {
      afterIndex: after,
      limit: stepRows,
      maxBytes: stepBytes,
    });
    const last = rows.at(-1);
    if (!last) return;
    for (const row of rows) {
      if (performance.now() - turnAt > turnMs) {
        await time.turn();
        turnAt = performance.now();
      }
      const result = parseRow(row, read);
      spent.add(result.bytes);
      yield result;
    }
    after = last.index;
  }
}

function parseRow(
  { index, customId, fields }: StoredRow,
  read: (answer: GivenAnswer) => unknown,
): ParsedResult {
  const result: ParsedResult = {
    index,
    customId: customId ?? String(index),
    status: 'FAILED',
    output: null,
    error: null,
    rejectedAnswer: null,
    bytes: Buffer.byteLength(fields ?? ''),
  };
  const outcome = readResultLine(parseKeepingNumbers(fields ?? 'null'));
  switch (outcome.kind) {
    case 'expired':
      return { ...result, status: 'EXPIRED' };
    case 'cancelled':
      return { ...result, status: 'CANCELLED' };
    case 'failed':
      return {
        ...result,
        error: { code: outcome.code, message: itemMessage(outcome.message) },
        rejectedAnswer: rejectedAnswer(outcome.answer ?? null),
      };
    case 'answer':
      try {
        return { ...result, status: 'SUCCEEDED', output: read(outcome) };
      } catch (error) {
        if (!(error instanceof InvalidOutput)) throw error;
        return {
          ...result,
          error: { code: 'INVALID_OUTPUT', message: itemMessage(error.told) },
          rejectedAnswer: rejectedAnswer(writtenText(outcome.text, outcome.completion)),
        };
      }
    default:
      return outcome satisfies never;
  }
}

/** Number of results of a file by status. */
type StatusCounts = ReadonlyMap<ItemStatus, number>;

/** Who asks for a count: until when, and how long the checks of the answers may take. */
interface Asked {
  signal: AbortSignal;
  time: CheckTime;
}

export interface ResultCounter {
  /** Reads the whole file when it is asked for the first time. */
  count(sql: Sql, source: ResultSource, asked: Asked): Promise<StatusCounts>;
}

/** Files and schemas whose counts are remembered; a few numbers each. */
const maxRemembered = 1_000;

/**
 * Counts one file at a time, so that many who ask do not take the whole process; rows of a file
 * never change, so each is counted once a schema.
 */
export function createResultCounter(): ResultCounter {
  const known = createRecent<StatusCounts>(maxRemembered);
  let last = Promise.resolve();

  async function count(sql: Sql, source: ResultSource, asked: Asked): Promise<StatusCounts> {
    const key = keyOf(source);
    const remembered = known.get(key);
    if (remembered) return remembered;
    const counts = new Map<ItemStatus, number>();
    for await (const { status } of parseResults(sql, source, { ...asked, afterIndex: -1 })) {
      counts.set(status, (counts.get(status) ?? 0) + 1);
    }
    if (!asked.signal.aborted) known.set(key, counts);
    return counts;
  }

  return {
    count(sql, source, asked) {
      const counted = last.then(() => count(sql, source, asked));
      last = counted.then(
        () => undefined,
        () => undefined, // The caller has the error.
      );
      return counted;
    },
  };
}

function keyOf({ fileKey, schema }: ResultSource): string {
  const digest = createHash('sha256').update(JSON.stringify(schema)).digest('base64');
  return `${fileKey} ${digest}`;
}
