/** Why a line of a file for OpenAI's batch API is not a request, in the words of that API. */

import { maxCustomIdLength } from '../../core/ids.ts';
import { quotedName } from '../../core/quoted-name.ts';
import { isChatUrl, wrongMethod, wrongUrl } from '../chat-url.ts';
import { nullByte } from './bytes.ts';
import type { DuplicateCandidate } from './custom-ids.ts';
import { sameBytes } from './json-bytes.ts';
import type { JsonScanner } from './json-scanner.ts';

/** Problems that are kept of one file; all are counted. */
export const maxProblems = 100;

type ProblemCode =
  | 'invalid_json_line'
  | 'missing_required_parameter'
  | 'invalid_type'
  | 'invalid_value'
  | 'duplicate_custom_id'
  | 'invalid_method'
  | 'invalid_url';

export interface ProblemReason {
  code: ProblemCode;
  /** The member that is wrong, such as `body.model`; null where the line is not JSON. */
  param: string | null;
  /** The end of a sentence about the line. */
  reason: string;
  /** Set where the line seems to have the custom id of another; somebody has to look. */
  candidate?: DuplicateCandidate;
}

/** `line` counts the lines of the file from 1, blank ones too. */
export type LineProblem = ProblemReason & { line: number };

/** The members of a request that are looked at. */
export const requestMembers: readonly string[] = ['custom_id', 'method', 'url', 'body'];
/** For each of them the member of the scanned object that has it; -1 where it is missing. */
export type RequestMembers = Int32Array;

/** The kind of a member: the byte that it begins with, and what is said of one that does not. */
interface Kind {
  first: number;
  name: string;
}
const text: Kind = { first: 0x22, name: 'text' };
const object: Kind = { first: 0x7b, name: 'an object' };
const postBytes = Buffer.from('"POST"');
const urlBytes = Buffer.from('"/v1/chat/completions"');
const modelBytes = Buffer.from('model');

/** The first problem of a scanned object as a request. `hasId`: it has a custom id that will do. */
export function problemOfRequest(
  bytes: Buffer,
  scanner: JsonScanner,
  members: RequestMembers,
  hasId: boolean,
): ProblemReason | null {
  return (
    (hasId ? null : customIdProblem(bytes, scanner, members[0])) ??
    methodProblem(bytes, scanner, members[1]) ??
    urlProblem(bytes, scanner, members[2]) ??
    kindProblem(bytes, scanner.valueStart[members[3] as number], 'body', object) ??
    modelProblem(bytes, scanner, members[3] as number)
  );
}

function customIdProblem(bytes: Buffer, scanner: JsonScanner, id = -1): ProblemReason {
  return (
    kindProblem(bytes, scanner.valueStart[id], 'custom_id', text) ?? {
      code: 'invalid_value',
      param: 'custom_id',
      reason: `must have a custom_id of 1 to ${maxCustomIdLength} characters`,
    }
  );
}

function methodProblem(bytes: Buffer, scanner: JsonScanner, method = -1): ProblemReason | null {
  const [start, end] = [scanner.valueStart[method], scanner.valueEnd[method]];
  const problem = kindProblem(bytes, start, 'method', text);
  if (problem || sameBytes(postBytes, bytes, start as number, end as number)) return problem;
  const given = JSON.parse(bytes.toString('utf8', start, end)) as string;
  if (given === 'POST') return null;
  return { code: 'invalid_method', param: 'method', reason: wrongMethod(quotedName(given)) };
}

function urlProblem(bytes: Buffer, scanner: JsonScanner, url = -1): ProblemReason | null {
  const [start, end] = [scanner.valueStart[url], scanner.valueEnd[url]];
  const problem = kindProblem(bytes, start, 'url', text);
  if (problem || sameBytes(urlBytes, bytes, start as number, end as number)) return problem;
  const given = JSON.parse(bytes.toString('utf8', start, end)) as string;
  if (isChatUrl(given)) return null;
  return { code: 'invalid_url', param: 'url', reason: wrongUrl(quotedName(given)) };
}

function modelProblem(bytes: Buffer, scanner: JsonScanner, body: number): ProblemReason | null {
  const end = scanner.valueEnd[body] as number;
  const start = findMember(bytes, scanner, {
    start: scanner.valueStart[body] as number,
    end,
    key: modelBytes,
  });
  const problem = kindProblem(bytes, start < 0 ? undefined : start, 'body.model', text);
  const isEmpty = bytes[start + 1] === text.first;
  return problem ?? (isEmpty ? missing('body.model') : null);
}

/** The fault of the value that begins at `start`; undefined where it is missing. */
function kindProblem(
  bytes: Uint8Array,
  start: number | undefined,
  param: string,
  { first, name }: Kind,
): ProblemReason | null {
  if (start === undefined || bytes[start] === nullByte) return missing(param);
  if (bytes[start] === first) return null;
  return { code: 'invalid_type', param, reason: `must have ${name} as its ${param}` };
}

function missing(param: string): ProblemReason {
  return { code: 'missing_required_parameter', param, reason: `must have a ${param}` };
}

/**
 * Where the value of the first member with the key begins, in an object bytes[start, end) that the
 * scanner has been over; -1 without one. Reads no further than that.
 */
function findMember(
  bytes: Uint8Array,
  scanner: JsonScanner,
  { start, end, key }: { start: number; end: number; key: Uint8Array },
): number {
  let at = scanner.skipSpace(bytes, start + 1);
  while (bytes[at] === text.first) {
    const keyEnd = scanner.string(bytes, at + 1, end);
    const value = scanner.skipSpace(bytes, scanner.skipSpace(bytes, keyEnd) + 1);
    if (sameBytes(key, bytes, at + 1, keyEnd - 1)) return value;
    const comma = scanner.skipSpace(bytes, scanner.value(bytes, value, end));
    at = scanner.skipSpace(bytes, comma + 1);
  }
  return -1;
}
