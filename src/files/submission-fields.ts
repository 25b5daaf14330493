/**
 * A batch that is asked for beside an upload, as fields of its form. Fields are text, in snake or camel case; what an operation's param wants
 * to be is told by its schema: text, JSON, or a list with commas. `options` holds the same as one JSON object.
 */
import { z } from 'zod';
import { executions } from '../db/tables.ts';
import { BadUserInput, type InputIssue } from '../errors.ts';
import { type OptionName, optionNames } from './given-options.ts';
import type { FormFields } from './upload-form.ts';

const yesOrNo = z.boolean({ error: 'needs to be true or false' });
const lane = { error: 'needs to be live or provider_batch' };

/** What a batch is submitted with beside its operation; the names are those of SubmitBatchInput. */
const batchParams = z.strictObject({
  name: z.string().nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  webhookUrl: z.string().nullish(),
  autoStart: yesOrNo.nullish(),
  execution: z.string(lane).trim().toUpperCase().pipe(z.enum(executions, lane)).nullish(),
  rescue: yesOrNo.nullish(),
  idempotencyKey: z
    .undefined({
      error: 'is for submitBatch: each upload is another file, and so another input',
    })
    .optional(),
  expiresInSeconds: z.number().nullish(),
  customIdPrefix: z.string().nullish(),
  contentField: z.string().nullish(),
  customIdField: z.string().nullish(),
});

export type BatchFields = z.output<typeof batchParams>;

export interface UploadSubmission {
  /** In lower case. */
  operation: string;
  /** The operation's params as they were given: of the right types where the text allows it, not checked any further. */
  options: Record<string, unknown>;
  /** Of the right types, not checked any further. */
  batch: BatchFields;
}

/** What is known of operations outside. */
export interface UploadSubmit {
  /** The names of all operations, in lower case. */
  readonly operations: readonly string[];
  /** The params of an operation of this name in lower case; undefined when there is none. */
  paramsOf(operation: string): z.ZodObject | undefined;
  /** Submits a batch over the file, and returns its id. Throws AppError. */
  submit(fileId: string, submission: UploadSubmission): Promise<string>;
}

/** Fields of a form that do not ask for a batch by themselves: they are about the file, or about both. */
const fileFields: ReadonlySet<string> = new Set(['name', ...optionNames]);
/** Those that are about the file alone: a batch reads what is stored. */
function isForFileAlone(name: string): boolean {
  return optionNames.includes(name as OptionName) && !Object.hasOwn(batchParams.shape, name);
}
/** What people call an operation besides its name. */
const operationAliases: ReadonlyMap<string, string> = new Map([['classify', 'label']]);

/** Whether a form asks for a batch over its file. */
export function wantsBatch(fields: FormFields): boolean {
  return [...fields.keys()].some((name) => !fileFields.has(toCamelCase(name)));
}

/** The submission that a form asks for. Throws BadUserInput with all that is wrong. */
export function readSubmission(
  fields: FormFields,
  known: Pick<UploadSubmit, 'operations' | 'paramsOf'>,
): UploadSubmission {
  const given = collect(fields);
  const named = given.get('operation');
  if (Array.isArray(named)) {
    throw new BadUserInput([{ path: 'operation', message: 'is given more than once' }]);
  }
  if (typeof named !== 'string' || named.trim() === '') {
    throw new BadUserInput([
      {
        path: 'operation',
        message: `is missing, but other fields ask for a batch; there are ${known.operations.join(', ')}`,
      },
    ]);
  }
  const lower = named.trim().toLowerCase();
  const operation = operationAliases.get(lower) ?? lower;
  const params = known.paramsOf(operation);
  if (!params) {
    const message = `${JSON.stringify(named.slice(0, 100))} is not known; there are ${known.operations.join(', ')}`;
    throw new BadUserInput([{ path: 'operation', message }]);
  }

  const options: Record<string, unknown> = {};
  const batch: Record<string, unknown> = {};
  const issues: InputIssue[] = [];
  for (const [name, value] of given) {
    if (name === 'operation' || isForFileAlone(name)) continue;
    if (Object.hasOwn(params.shape, name)) {
      options[name] = typed(params.shape[name] as z.ZodType, value);
    } else if (Object.hasOwn(batchParams.shape, name)) {
      batch[name] = typed(batchParams.shape[name as keyof BatchFields], value);
    } else {
      issues.push({ path: name, message: `is not known for ${operation}` });
    }
  }
  const checked = batchParams.safeParse(batch);
  if (!checked.success) {
    for (const { path, message } of checked.error.issues) {
      issues.push({ path: path.map(String).join('.'), message });
    }
  }
  if (issues.length > 0 || !checked.success) throw new BadUserInput(issues);
  return { operation, options, batch: checked.data };
}

/** A value as it stood in the form: texts, one or several, or what stood in the JSON of `options`. */
type Given = string | readonly string[] | { json: unknown };

/** All fields by their names in camel case, those inside `options` too. */
function collect(fields: FormFields): Map<string, Given> {
  const given = new Map<string, Given>();
  const issues: InputIssue[] = [];
  const add = (name: string, value: Given) => {
    const known = toCamelCase(name);
    if (given.has(known)) issues.push({ path: known, message: 'is given more than once' });
    given.set(known, value);
  };
  for (const [name, values] of fields) {
    const [first = ''] = values;
    if (toCamelCase(name) !== 'options') add(name, values.length === 1 ? first : values);
  }
  for (const text of fields.get('options') ?? []) {
    const inner = parseJson(text)?.value;
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) {
      issues.push({ path: 'options', message: 'needs to be one JSON object' });
      continue;
    }
    for (const [name, json] of Object.entries(inner)) {
      add(name, toCamelCase(name) === 'operation' && typeof json === 'string' ? json : { json });
    }
  }
  if (issues.length > 0) throw new BadUserInput(issues);
  return given;
}

/** The reading of a text that its schema takes; where it takes none, the one that comes nearest, so that the message is about the value. */
function typed(schema: z.ZodType, given: Given): unknown {
  const readings = readingsOf(given);
  const fits = readings.find((reading) => schema.safeParse(reading).success);
  if (fits !== undefined) return fits;
  const near = readings.find((reading) => {
    const { error } = schema.safeParse(reading);
    return error?.issues.every((issue) => issue.code !== 'invalid_type' || issue.path.length > 0);
  });
  return near ?? readings[0];
}

function readingsOf(given: Given): unknown[] {
  if (typeof given === 'object' && 'json' in given) {
    const { json } = given;
    return isTexts(json) ? [json, named(json)] : [json];
  }
  if (typeof given !== 'string') return [[...given], named(given)];
  const parsed = parseJson(given);
  return [given, ...(parsed ? [parsed.value] : []), list(given), named(list(given))];
}

/** Where objects are wanted, a bare name is one that has nothing else. */
function named(names: readonly string[]): { name: string }[] {
  return names.map((name) => ({ name }));
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function list(text: string): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

function parseJson(text: string): { value: unknown } | null {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return null;
  }
}

function toCamelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
