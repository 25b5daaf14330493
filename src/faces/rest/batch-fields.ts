/**
 * The batch that an upload asks for, in fields of its form. A field is text, JSON or a list with
 * commas, as its schema tells. `options` holds the same fields as one JSON object.
 */
import { z } from 'zod';
import { batchFields, storableJsonObject } from '../../app/inputs.ts';
import { BadUserInput, type InputIssue } from '../../core/errors.ts';
import { quotedName } from '../../core/quoted-name.ts';
import { executions } from '../../db/tables.ts';
import { type OptionName, optionNames } from '../../files/read/given-options.ts';
import { findOperation, operations } from '../../operations/index.ts';
import { maxFields } from '../http/form.ts';
import { type Given, parseJson, readGiven, toCamelCase, UnfitValue } from '../http/form-values.ts';
import { didYouMean, issuesOf } from '../http/form-words.ts';
import type { FormFields } from './file-fields.ts';

/** Fields of a submit beside its operation. The names are those of SubmitBatchInput. */
const batchParams = z.strictObject({
  ...batchFields,
  metadata: z.record(z.string(), z.unknown()).pipe(storableJsonObject).nullish(),
  autoStart: z.boolean().nullish(),
  execution: z.enum(executions).nullish(),
  rescue: z.boolean().nullish(),
  deduplicate: z.boolean().nullish(),
  idempotencyKey: z
    .undefined({
      error: 'is for submitBatch: each upload is another file, and so another input',
    })
    .optional(),
  /** The next state of the batch where rows of the file were refused. */
  onRejected: z.enum(['DRAFT', 'CONTINUE']).nullish(),
});

export interface UploadSubmission {
  /** In lower case. */
  operation: string;
  /** As the params of the operation have them. */
  options: Record<string, unknown>;
  batch: Omit<z.output<typeof batchParams>, 'onRejected'>;
}

/** A submission, and whether it is to start although rows of its file were refused. */
export interface UploadForm {
  submission: UploadSubmission;
  startsAnyway: boolean;
}

/** Fields that do not ask for a batch by themselves: those of the file, and the name of both. */
const fileFields: ReadonlySet<string> = new Set(['name', ...optionNames]);
/** Fields of the file that a batch has not: it reads what is stored. */
function isForFileAlone(name: string): boolean {
  return optionNames.includes(name as OptionName) && !Object.hasOwn(batchParams.shape, name);
}
const operationNames = operations.map(({ name }) => name);
/** Other names that people use for an operation. */
const operationAliases: ReadonlyMap<string, string> = new Map([['classify', 'label']]);
/** Other names that people use for a field. */
const fieldAliases: ReadonlyMap<string, string> = new Map([
  ['extractionInstructions', 'instructions'],
  ['summaryInstructions', 'instructions'],
]);

/** True where a form asks for a batch over its file. */
export function wantsBatch(fields: FormFields): boolean {
  return [...fields.keys()].some((name) => !fileFields.has(toCamelCase(name)));
}

/** The submit that a form asks for. Throws BadUserInput with all that is wrong. */
export function readSubmission(fields: FormFields): UploadForm {
  const { operation, params, options, batch } = collectBatch(fields);
  const checked = params.safeParse(options);
  const fieldsOfBatch = batchParams.safeParse(batch);
  if (!checked.success || !fieldsOfBatch.success) {
    throw new BadUserInput([
      ...issuesOf(params, checked.error, options),
      ...issuesOf(batchParams, fieldsOfBatch.error, batch),
    ]);
  }
  const { onRejected, ...given } = fieldsOfBatch.data;
  return {
    submission: { operation, options: checked.data, batch: given },
    startsAnyway: onRejected === 'CONTINUE',
  };
}

/**
 * The same of the fields before the file, which are judged before the file is read. Throws
 * BadUserInput for what no field after the file can put right.
 */
export function checkEarlyFields(fields: FormFields): void {
  const given = collect(fields);
  if (!given.has('operation')) return;
  try {
    readSubmission(fields);
  } catch (error) {
    if (!(error instanceof BadUserInput)) throw error;
    // What is missing may still come.
    const issues = error.issues.filter(({ path }) => given.has(path.split('.', 1)[0] as string));
    if (issues.length > 0) throw new BadUserInput(issues);
  }
}

/** The values of all fields, by what they are for. Throws BadUserInput. */
function collectBatch(fields: FormFields) {
  const given = collect(fields);
  const { operation, params } = operationOf(given);
  const options: Record<string, unknown> = {};
  const batch: Record<string, unknown> = {};
  const issues: InputIssue[] = [];
  for (const [name, value] of given) {
    if (name === 'operation' || isForFileAlone(name)) continue;
    const isOption = Object.hasOwn(params.shape, name);
    const shape: z.core.$ZodLooseShape = isOption ? params.shape : batchParams.shape;
    if (!Object.hasOwn(shape, name)) {
      issues.push({ path: name, message: unknownFor(operation, name, namesFor([params])) });
      continue;
    }
    try {
      (isOption ? options : batch)[name] = readGiven(shape[name] as z.ZodType, value);
    } catch (error) {
      issues.push({ path: name, message: messageOf(error) });
    }
  }
  if (issues.length > 0) throw new BadUserInput(issues);
  return { operation, params, options, batch };
}

function operationOf(given: ReadonlyMap<string, Given>) {
  const named = given.get('operation');
  if (Array.isArray(named)) throw repeated('operation');
  if (typeof named !== 'string' || named.trim() === '') {
    throw new BadUserInput(withoutOperation([...given.keys()]));
  }
  const lower = named.trim().toLowerCase();
  const operation = operationAliases.get(lower) ?? lower;
  const params = findOperation(operation)?.params;
  if (params) return { operation, params };
  const hint = didYouMean(lower, [...operationNames, ...operationAliases.keys()]);
  const message = `must be one of ${operationNames.join(', ')}, not ${quotedName(named)}${hint}`;
  throw new BadUserInput([{ path: 'operation', message }]);
}

/** Unknown fields are misspelt. Without any, the operation is what is missing. */
function withoutOperation(names: readonly string[]): InputIssue[] {
  const all = namesFor(operations.map(({ params }) => params));
  const unknown = names.filter((name) => !all.has(name));
  if (unknown.length > 0) {
    return unknown.map((name) => ({ path: name, message: unknownFor('a form', name, all) }));
  }
  const message = `is required to start a batch. One of: ${operationNames.join(', ')}`;
  return [{ path: 'operation', message }];
}

function namesFor(params: readonly z.ZodObject[]): ReadonlySet<string> {
  const shapes = [...params, batchParams].flatMap(({ shape }) => Object.keys(shape));
  return new Set([...shapes, ...fileFields, 'operation']);
}

function unknownFor(what: string, name: string, names: ReadonlySet<string>): string {
  const hint = didYouMean(name, names);
  return `must be a field of ${what}${hint === '' ? `: ${[...names].join(', ')}` : hint}`;
}

/** All fields by their names in camel case, those inside `options` too. Throws BadUserInput. */
function collect(fields: FormFields): Map<string, Given> {
  const given = new Map<string, Given>();
  const add = (name: string, value: Given) => {
    const camel = toCamelCase(name);
    const known = fieldAliases.get(camel) ?? camel;
    if (given.has(known)) throw repeated(known);
    given.set(known, value);
  };
  for (const [name, values] of fields) {
    const [first = ''] = values;
    if (toCamelCase(name) !== 'options') add(name, values.length === 1 ? first : values);
  }
  for (const text of fields.get('options') ?? []) {
    for (const [name, json] of Object.entries(readOptions(text))) {
      add(name, toCamelCase(name) === 'operation' && typeof json === 'string' ? json : { json });
    }
  }
  return given;
}

const optionsObject = z.record(z.string(), z.unknown());
/** As many as a form has fields. Each unknown one is told of, with the name that is nearest. */
export const maxOptions = maxFields;

function readOptions(text: string): Record<string, unknown> {
  try {
    const { data } = optionsObject.safeParse(parseJson(text, optionsObject));
    if (!data) throw new UnfitValue('must be a JSON object');
    if (Object.keys(data).length <= maxOptions) return data;
    throw new UnfitValue(`must have at most ${maxOptions} members`);
  } catch (error) {
    throw new BadUserInput([{ path: 'options', message: messageOf(error) }]);
  }
}

/** Throws all errors but UnfitValue. */
function messageOf(error: unknown): string {
  if (error instanceof UnfitValue) return error.message;
  throw error;
}

function repeated(path: string): BadUserInput {
  return new BadUserInput([{ path, message: 'is given more than once' }]);
}
