/** The input file of an OpenAI batch, checked as OpenAI does before a batch starts. */
import { isObject } from '../../rules/json-schema.ts';
import type { BatchProblem } from '../equipment.ts';
import { startSlice } from './slice.ts';

export interface InputRules {
  endpoint: string;
  models: readonly string[];
  maxRequests: number;
  maxBytes: number;
}

interface BatchInput {
  /** Each row as it lies in the file. */
  rows: Buffer[];
  firstCustomId: string;
  /** Null where each row has its own. */
  model: string | null;
}

/** Checks the next part; null while there is more. */
export type InputReader = () => BatchInput | { problems: BatchProblem[] } | null;

const maxProblems = 100;
const newline = 10;

export function createInputReader(file: Buffer, limits: InputRules): InputReader {
  const rows: Buffer[] = [];
  const seen = new Set<string>();
  const problems: BatchProblem[] = [];
  let model: string | null = null;
  let at = 0;
  let line = 0;

  function note(code: string, message: string, param: string | null = null): void {
    if (problems.length < maxProblems) problems.push({ code, line, message, param });
  }

  function check(bytes: Buffer): void {
    let row: unknown;
    try {
      row = JSON.parse(bytes.toString('utf8'));
    } catch {
      note('invalid_json_line', 'This line is not parseable as valid JSON.');
      return;
    }
    if (!isObject(row)) {
      note('invalid_json_line', 'This line must be a JSON object.');
      return;
    }
    const { custom_id: customId, method, url, body } = row;
    for (const name of ['custom_id', 'method', 'url', 'body']) {
      if (row[name] === undefined)
        note('missing_required_parameter', `Missing required parameter: '${name}'.`, name);
    }
    if (customId !== undefined && (typeof customId !== 'string' || customId === ''))
      note('invalid_type', "'custom_id' must be a non-empty string.", 'custom_id');
    else if (customId !== undefined && seen.has(customId))
      note(
        'duplicate_custom_id',
        `The custom_id '${customId}' is a duplicate of another request. The custom_id parameter must be unique for each request in a batch.`,
        'custom_id',
      );
    if (typeof customId === 'string') seen.add(customId);
    if (method !== undefined && method !== 'POST')
      note('invalid_method', "Only the method 'POST' is supported.", 'method');
    if (url !== undefined && url !== limits.endpoint)
      note(
        'invalid_url',
        `The URL provided for this request does not match the batch endpoint '${limits.endpoint}'.`,
        'url',
      );
    if (body !== undefined) checkModel(body);
    rows.push(bytes);
  }

  function checkModel(body: unknown): void {
    const stated = isObject(body) ? body.model : undefined;
    if (typeof stated !== 'string')
      note('missing_required_parameter', "Missing required parameter: 'body.model'.", 'body.model');
    else if (!limits.models.includes(stated))
      note(
        'model_not_found',
        `The provided model '${stated}' is not supported by the Batch API.`,
        'body.model',
      );
    else if (model !== null && stated !== model)
      note(
        'mismatched_model',
        `The provided model '${stated}' does not match the rest of the batch. Each batch must contain requests for a single model.`,
        'body.model',
      );
    else model = stated;
  }

  function whole(code: string, message: string): { problems: BatchProblem[] } {
    return { problems: [{ code, line: null, message, param: null }] };
  }

  return () => {
    if (file.length > limits.maxBytes)
      return whole(
        'file_too_large',
        `The batch input file is larger than the ${limits.maxBytes} maximum. Please try again with a smaller batch.`,
      );
    const inTime = startSlice();
    for (let first = true; at < file.length && (first || inTime()); first = false) {
      const end = file.indexOf(newline, at);
      const bytes = file.subarray(at, end < 0 ? file.length : end);
      at += bytes.length + 1;
      line++;
      if (!isBlank(bytes)) check(bytes);
      if (rows.length > limits.maxRequests)
        return whole(
          'too_many_tasks',
          `The batch input file contains more than the maximum of ${limits.maxRequests} requests.`,
        );
    }
    if (at < file.length) return null;
    if (problems.length > 0) return { problems };
    if (rows.length === 0 || model === null)
      return whole('empty_file', 'The batch input file contains no requests.');
    return { rows, firstCustomId: seen.values().next().value ?? '', model };
  };
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 32 || byte === 13 || byte === 9);
}
