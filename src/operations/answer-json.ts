/** The JSON object in a model's answer: as the whole of it, in a fence, or among words. */
import { InvalidOutput } from '../core/errors.ts';
import { mayRewrite, parseAsWritten } from '../core/exact-json.ts';
import { isRecord, type JsonRecord } from '../core/json.ts';
import { tidy } from './answer.ts';
import { completeObjects, type JsonPiece } from './json-objects.ts';
import { behindOpenedThought, behindUnopenedThought } from './thought.ts';

/** An object that a model wrote. Its strings and keys are storable. */
export interface FoundJson extends JsonPiece {
  readonly value: JsonRecord;
  /** The value with numbers that JavaScript would change as texts. Null when all are exact. */
  readonly exact: JsonRecord | null;
}

/** Objects among words that are judged, from the last one on. */
const maxObjects = 10;

/**
 * Result of `judge` for the object in an answer. The candidates are the whole answer, then the
 * content of its only fence, then the last complete object that `judge` accepts. A thought before
 * the answer is skipped. Throws InvalidOutput, in the words of `judge` about the first object.
 */
export function readJson<T>(answer: string, judge: (found: FoundJson) => T): T {
  const start = behindOpenedThought(answer);
  const whole = parsePiece(trimmed(answer, start, answer.length));
  if (whole) return judge(toFound(whole));
  let problem: InvalidOutput | null = null;
  for (const piece of piecesOf(answer, start)) {
    try {
      return judge(toFound(piece));
    } catch (error) {
      if (!(error instanceof InvalidOutput)) throw error;
      problem ??= error;
    }
  }
  throw problem ?? new InvalidOutput('The answer must be one JSON object and nothing else.');
}

/** Pieces that are JSON, of an answer that as a whole is not, the likeliest first. */
function* piecesOf(answer: string, start: number): Generator<ParsedPiece> {
  // In a fence the tag may be part of a text.
  const isFenced = answer.trimStart().startsWith('```');
  const from = start > 0 || isFenced ? start : behindUnopenedThought(answer);
  if (from > start) {
    const rest = parsePiece(trimmed(answer, from, answer.length));
    if (rest) {
      yield rest;
      return;
    }
  }
  const fenced = fencedPiece(answer, from);
  const parsed = fenced && parsePiece(fenced);
  if (parsed) yield parsed;
  const objects = completeObjects(answer.slice(from)).toReversed().slice(0, maxObjects);
  for (const { at, text } of objects) {
    const object = parsePiece({ at: from + at, text });
    if (object && object.at !== parsed?.at) yield object;
  }
}

/** Text between the first and last fence. JSON only if they are the ends of one block. */
function fencedPiece(answer: string, from: number): JsonPiece | null {
  const opened = answer.indexOf('```', from);
  const closed = answer.lastIndexOf('```');
  if (opened < 0 || closed < opened + 3) return null;
  const [mark = ''] = /^```[\w-]*/.exec(answer.slice(opened, opened + 100)) ?? [];
  return closed < opened + mark.length ? null : trimmed(answer, opened + mark.length, closed);
}

/** Without white space at its ends; a byte order mark is such. */
function trimmed(answer: string, from: number, to: number): JsonPiece {
  const piece = answer.slice(from, to);
  const text = piece.trimStart();
  return { at: from + piece.length - text.length, text: text.trimEnd() };
}

interface ParsedPiece extends JsonPiece {
  json: unknown;
}

function parsePiece({ at, text }: JsonPiece): ParsedPiece | null {
  try {
    return { at, text, json: JSON.parse(text) };
  } catch {
    return null;
  }
}

function toFound({ at, text, json }: ParsedPiece): FoundJson {
  const value = tidy(json);
  if (!isRecord(value)) throw new InvalidOutput('The answer must be one JSON object.');
  return new Found(at, text, value);
}

/** A class, so that numbers are compared with their texts only on demand. */
class Found implements FoundJson {
  readonly at: number;
  readonly text: string;
  readonly value: JsonRecord;

  constructor(at: number, text: string, value: JsonRecord) {
    this.at = at;
    this.text = text;
    this.value = value;
  }

  get exact(): JsonRecord | null {
    const exact = mayRewrite(this.text) ? tidy(parseAsWritten(this.text)) : null;
    return isRecord(exact) ? exact : null;
  }
}
