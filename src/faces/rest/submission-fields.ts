/**
 * A batch that is asked for beside an upload, as fields of its form. Fields are text, in snake or camel case; what an operation's param wants
 * to be is told by its schema: text, JSON, or a list with commas. `options` holds the same as one JSON object.
 */
import { z } from 'zod';
import { BadUserInput, type InputIssue } from '../../core/errors.ts';
import { quotedName } from '../../core/quoted-name.ts';
import { executions } from '../../db/tables.ts';
import { type OptionName, optionNames } from '../../files/read/given-options.ts';
import { type Given, parseJson, readGiven, toCamelCase } from '../http/form-values.ts';
import { didYouMean, issuesOf } from '../http/form-words.ts';
import type { FormFields } from '../http/upload-form.ts';

/** What a batch is submitted with beside its operation; the names are those of SubmitBatchInput. */
const batchParams = z.strictObject({
  name: z.string().nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  webhookUrl: z.string().nullish(),
  autoStart: z.boolean().nullish(),
  execution: z.enum(executions).nullish(),
  rescue: z.boolean().nullish(),
  idempotencyKey: z
    .undefined({
      error: 'is for submitBatch: each upload is another file, and so another input',
    })
    .optional(),
  expiresInSeconds: z.number().nullish(),
  customIdPrefix: z.string().nullish(),
  contentField: z.string().nullish(),
  customIdField: z.string().nullish(),
  /** What becomes of the batch where rows of the file were refused. */
  onRejected: z.enum(['DRAFT', 'CONTINUE']).nullish(),
});

export type BatchFields = Omit<z.output<typeof batchParams>, 'onRejected'>;

export interface UploadSubmission {
  /** In lower case. */
  operation: string;
  /** The operation's params as they were given: of the right types where the text allows it, not checked any further. */
  options: Record<string, unknown>;
  /** Of the right types, not checked any further. */
  batch: BatchFields;
}

/** A submission, and whether it is to start although rows of its file were refused. */
export interface UploadForm {
  submission: UploadSubmission;
  startsAnyway: boolean;
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
/** What people call a field besides its name. */
const fieldAliases: ReadonlyMap<string, string> = new Map([
  ['extractionInstructions', 'instructions'],
  ['summaryInstructions', 'instructions'],
]);

/** Whether a form asks for a batch over its file. */
export function wantsBatch(fields: FormFields): boolean {
  return [...fields.keys()].some((name) => !fileFields.has(toCamelCase(name)));
}

/** What a form asks for beside its file. Throws BadUserInput with all that is wrong. */
export function readSubmission(
  fields: FormFields,
  known: Pick<UploadSubmit, 'operations' | 'paramsOf'>,
): UploadForm {
  const given = collect(fields);
  const named = given.get('operation');
  if (Array.isArray(named)) {
    throw new BadUserInput([{ path: 'operation', message: 'is given more than once' }]);
  }
  if (typeof named !== 'string' || named.trim() === '') {
    throw new BadUserInput(withoutOperation([...given.keys()], known));
  }
  const lower = named.trim().toLowerCase();
  const operation = operationAliases.get(lower) ?? lower;
  const params = known.paramsOf(operation);
  if (!params) {
    const hint = didYouMean(lower, [...known.operations, ...operationAliases.keys()]);
    const message = `${quotedName(named)} is not known${hint}; there are ${known.operations.join(', ')}`;
    throw new BadUserInput([{ path: 'operation', message }]);
  }

  const options: Record<string, unknown> = {};
  const forBatch: Record<string, unknown> = {};
  const issues: InputIssue[] = [];
  for (const [name, value] of given) {
    if (name === 'operation' || isForFileAlone(name)) continue;
    const isOption = Object.hasOwn(params.shape, name);
    const shape: z.core.$ZodLooseShape = isOption ? params.shape : batchParams.shape;
    if (!Object.hasOwn(shape, name)) {
      const names = [...Object.keys(params.shape), ...batchNames, ...fileFields, 'operation'];
      issues.push({ path: name, message: unknownFor(operation, name, names) });
      continue;
    }
    const reading = readGiven(shape[name] as z.ZodType, value);
    if (reading.problem === null) (isOption ? options : forBatch)[name] = reading.value;
    else issues.push({ path: name, message: reading.problem });
  }
  const checked = batchParams.safeParse(forBatch);
  issues.push(...issuesOf(batchParams, checked.error, forBatch));
  if (issues.length > 0 || !checked.success) throw new BadUserInput(issues);
  const { onRejected, ...batch } = checked.data;
  return { submission: { operation, options, batch }, startsAnyway: onRejected === 'CONTINUE' };
}

const batchNames = Object.keys(batchParams.shape);

/**
 * Fields that no operation has are slips of the pen; with others, the operation is what is missing.
 */
function withoutOperation(
  names: readonly string[],
  { operations, paramsOf }: Pick<UploadSubmit, 'operations' | 'paramsOf'>,
): InputIssue[] {
  const all = new Set([
    ...operations.flatMap((operation) => Object.keys(paramsOf(operation)?.shape ?? {})),
    ...batchNames,
    ...fileFields,
    'operation',
  ]);
  const unknown = names.filter((name) => !all.has(name));
  if (unknown.length > 0) {
    return unknown.map((name) => ({ path: name, message: unknownFor('a form', name, all) }));
  }
  const asking = names.filter((name) => !fileFields.has(name)).slice(0, 5);
  const message = `is missing, but ${asking.join(', ')} ask for a batch; there are ${operations.join(', ')}`;
  return [{ path: 'operation', message }];
}

function unknownFor(what: string, name: string, names: Iterable<string>): string {
  const hint = didYouMean(name, names);
  const known = [...new Set(names)].join(', ');
  return `is not known for ${what}${hint === '' ? `; there are ${known}` : hint}`;
}

/** All fields by their names in camel case, those inside `options` too. */
function collect(fields: FormFields): Map<string, Given> {
  const given = new Map<string, Given>();
  const issues: InputIssue[] = [];
  const add = (name: string, value: Given) => {
    const camel = toCamelCase(name);
    const known = fieldAliases.get(camel) ?? camel;
    if (given.has(known)) issues.push({ path: known, message: 'is given more than once' });
    given.set(known, value);
  };
  for (const [name, values] of fields) {
    const [first = ''] = values;
    if (toCamelCase(name) !== 'options') add(name, values.length === 1 ? first : values);
  }
  for (const text of fields.get('options') ?? []) {
    const { value, problem } = readOptions(text);
    if (problem !== null) issues.push({ path: 'options', message: problem });
    for (const [name, json] of Object.entries(value)) {
      add(name, toCamelCase(name) === 'operation' && typeof json === 'string' ? json : { json });
    }
  }
  if (issues.length > 0) throw new BadUserInput(issues);
  return given;
}

const optionsObject = z.record(z.string(), z.unknown());

function readOptions(text: string): { value: Record<string, unknown>; problem: string | null } {
  const reading = parseJson(text, optionsObject);
  if (reading.problem !== null) return { value: {}, problem: reading.problem };
  const { data, success } = optionsObject.safeParse(reading.value);
  return success
    ? { value: data, problem: null }
    : { value: {}, problem: 'needs to be a JSON object' };
}
