/** The body of `POST /v1/batches`, field by field. Fields that nobody knows are ignored. */
import { batchFields } from '../../app/inputs.ts';
import { isRecord } from '../../core/json.ts';
import { quotedName } from '../../core/quoted-name.ts';
import { textProblem } from '../../core/text.ts';
import { type Execution, executions } from '../../db/tables.ts';
import { badField, missingField } from './bad-field.ts';
import { chatEndpoint, completionWindow } from './batch-object.ts';

type Body = Readonly<Record<string, unknown>>;

/** https://platform.openai.com/docs/api-reference/batch/create */
export const metadataLimits = { maxKeys: 16, maxKeyLength: 64, maxTextLength: 512 };
/** Most characters of a name that is taken from the metadata, which may be longer. */
const maxNameLength = 200;

interface BatchRequest {
  fileId: string;
  metadata: Record<string, string> | null;
  name: string | null;
  webhookUrl: string | null;
  execution: Execution | null;
  rescue: boolean | null;
}

/**
 * The batch that a client asks for. Throws RouteError 400 that names the first field that is wrong.
 */
export function readBatchRequest(body: Body): BatchRequest {
  const fileId = requiredText(body, 'input_file_id');
  requireOnly(body, 'endpoint', chatEndpoint);
  requireOnly(body, 'completion_window', completionWindow);
  const metadata = readMetadata(body.metadata);
  return {
    fileId,
    metadata,
    name: checkedText('name', optionalText(body, 'name')) ?? nameIn(metadata),
    webhookUrl: checkedText('webhookUrl', optionalText(body, 'webhook_url'), 'webhook_url'),
    execution: readExecution(optionalText(body, 'execution')),
    rescue: readFlag(body, 'rescue'),
  };
}

/** The key of a create that may be sent again. Throws RouteError 400. */
export function readIdempotencyKey(given: string | string[] | undefined): string | null {
  const key = given === undefined ? null : String(given);
  return checkedText('idempotencyKey', key, 'Idempotency-Key');
}

function requiredText(body: Body, name: string): string {
  const given = optionalText(body, name);
  if (given === null) throw missingField(name, `${name} must be given`);
  return given;
}

function optionalText(body: Body, name: string): string | null {
  const given = body[name] ?? null;
  if (given === null || typeof given === 'string') return given;
  throw badField(name, `${name} must be a text`, 'invalid_type');
}

/** A field of which one value is served. */
function requireOnly(body: Body, name: string, served: string): void {
  const given = requiredText(body, name);
  if (given === served) return;
  throw badField(name, `${name} must be ${served}, not ${quotedName(given)}`, 'unsupported_value');
}

/** A text by the rules that it has in every way to submit a batch; `param` is its name here. */
function checkedText(
  field: 'name' | 'webhookUrl' | 'idempotencyKey',
  given: string | null,
  param: string = field,
): string | null {
  const { error } = batchFields[field].safeParse(given);
  if (error) throw badField(param, `${param} ${error.issues[0]?.message}`);
  return given;
}

function readExecution(given: string | null): Execution | null {
  if (given === null) return null;
  const execution = executions.find((one) => one.toLowerCase() === given.toLowerCase());
  if (execution) return execution;
  const served = executions.map((one) => one.toLowerCase()).join(' or ');
  throw badField('execution', `execution must be ${served}, not ${quotedName(given)}`);
}

function readFlag(body: Body, name: string): boolean | null {
  const given = body[name] ?? null;
  if (given === null || typeof given === 'boolean') return given;
  throw badField(name, `${name} must be true or false`, 'invalid_type');
}

function readMetadata(given: unknown): Record<string, string> | null {
  if (given === null || given === undefined) return null;
  const bad = (what: string, code?: 'invalid_type') =>
    badField('metadata', `metadata must ${what}`, code);
  const { maxKeys, maxKeyLength, maxTextLength } = metadataLimits;
  if (!isRecord(given)) throw bad('be an object of texts', 'invalid_type');
  const entries = Object.entries(given);
  if (entries.length > maxKeys) {
    throw bad(`have at most ${maxKeys} keys, not ${entries.length}`);
  }
  for (const [key, value] of entries) {
    const name = quotedName(key);
    if ([...key].length > maxKeyLength) {
      throw bad(`have keys of at most ${maxKeyLength} characters, not ${name}`);
    }
    if (typeof value !== 'string') throw bad(`have a text under ${name}`, 'invalid_type');
    if ([...value].length > maxTextLength) {
      throw bad(`have at most ${maxTextLength} characters under ${name}`);
    }
    const problem = textProblem(key) ?? textProblem(value);
    if (problem !== null) throw bad(`have texts that can be stored; ${name} ${problem}`);
  }
  return given as Record<string, string>;
}

/** Clients of OpenAI's API that name their batches write it there. */
function nameIn(metadata: Record<string, string> | null): string | null {
  const description = metadata?.description?.trim() ?? '';
  const name = description.slice(0, maxNameLength);
  // The cut may have gone through a character of two units.
  return name === '' ? null : name.replace(/[\uD800-\uDBFF]$/, '');
}
