/** The form of a new batch: what stands in its fields, and the inputs that are made of it. */
import { readAmount } from '../../words/amount.ts';
import { parseCategories, writeCategories } from './categories.ts';
import { emptyField, type FieldRow, readFieldRows } from './enrich-fields.ts';
import { fieldsOf, readOption } from './options.ts';
import {
  type OperationInput,
  type OperationName,
  type Options,
  operationNames,
  type Submission,
} from './submission.ts';

export interface Form {
  source: { kind: 'none' } | { kind: 'file'; fileId: string } | { kind: 'texts'; text: string };
  /** Null: as the file says. */
  contentField: string | null;
  customIdField: string | null;
  operation: OperationName;
  categories: string;
  fields: readonly FieldRow[];
  /** By operation, then by option: what was typed. Checkboxes hold `true`. */
  options: Readonly<Record<OperationName, Readonly<Record<string, string>>>>;
  /** Empty: the server's default. */
  model: string;
  execution: 'LIVE' | 'PROVIDER_BATCH';
  /** USD; empty: no limit. */
  stopAt: string;
  withPreview: boolean;
  deduplicate: boolean;
  webhookUrl: string;
  name: string;
  /** Hours; empty: the server's own. */
  expiresInHours: string;
}

/** 30 days, the most that the server takes. */
const mostHours = 720;

/** Rows of a preview. A file of requests has no try: a smaller preview takes its place. */
export function previewRowsOf({ operation }: Pick<Form, 'operation'>): number {
  return operation === 'chat' ? 10 : 200;
}

export const emptyForm: Form = {
  source: { kind: 'none' },
  contentField: null,
  customIdField: null,
  operation: 'label',
  categories: '',
  fields: [emptyField],
  options: { label: {}, extract: {}, summarize: {}, enrich: {}, run: {}, chat: {} },
  model: '',
  execution: 'LIVE',
  stopAt: '',
  withPreview: false,
  deduplicate: true,
  webhookUrl: '',
  name: '',
  expiresInHours: '',
};

/** By the field that it stands at. */
export type Problems = Readonly<Record<string, string>>;

export type Built<T> = { value: T; problems?: never } | { value?: never; problems: Problems };

export function textsOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line.trim() !== '');
}

/** The operation with its options, or what is wrong with each field. */
export function buildOperation(form: Form): Built<OperationInput> {
  const { operation } = form;
  const problems: Record<string, string> = {};
  const options: Options = {};
  if (operation === 'label') {
    const { names, descriptions, problem } = parseCategories(form.categories);
    if (problem) problems.categories = problem;
    options.categories = names;
    if (Object.keys(descriptions).length > 0) options.categoryDescriptions = descriptions;
  }
  if (operation === 'enrich') {
    const { fields, problem } = readFieldRows(form.fields);
    if (problem) problems.fields = problem;
    options.fields = fields;
  }
  for (const field of fieldsOf(operation)) {
    const typed = form.options[operation][field.name] ?? '';
    if (typed.trim() === '') continue;
    const { value, problem } = readOption(field, typed);
    if (problem) problems[field.name] = problem;
    else if (value !== undefined) options[field.name] = value;
  }
  if (operation === 'extract' && !options.schema && !options.instructions) {
    problems.schema ??= 'Name the values to extract, or say in words what to extract';
  }
  const saysTask = options.instructions ?? options.systemPrompt ?? options.userPromptTemplate;
  if (operation === 'run' && !saysTask) problems.instructions ??= 'Say what to do with each row';
  if (form.model) options.model = form.model;
  if (Object.keys(problems).length > 0) return { problems };
  return { value: { [operation]: options } };
}

/** The input of submitBatch, but for the idempotency key. */
export function buildSubmission(
  form: Form,
  { rows, asDraft = false }: { rows: number; asDraft?: boolean },
): Built<Submission> {
  const operation = buildOperation(form);
  const problems: Record<string, string> = { ...operation.problems };
  const source = buildSource(form);
  if (!source) problems.source = 'Choose a file or paste texts';
  const maxCostUsd = readAmount(form.stopAt);
  if (maxCostUsd === null)
    problems.stopAt = 'The limit must be an amount of USD above 0, such as 12.50';
  const hours = readAmount(form.expiresInHours);
  if (hours === null || (hours ?? 0) > mostHours) {
    problems.expiresInHours = `The time must be a number of hours above 0, at most ${mostHours}`;
  }
  if (form.webhookUrl && !URL.canParse(form.webhookUrl)) {
    problems.webhookUrl = 'The webhook must be an address such as https://example.com/hook';
  }
  if (!operation.value || !source || maxCostUsd === null || hours === null) return { problems };
  if (Object.keys(problems).length > 0) return { problems };
  return {
    value: {
      operation: operation.value,
      source,
      ...(form.contentField === null ? {} : { contentField: form.contentField }),
      ...(form.customIdField === null ? {} : { customIdField: form.customIdField }),
      ...(form.execution === 'LIVE' ? {} : { execution: 'PROVIDER_BATCH' as const }),
      ...(maxCostUsd === undefined ? {} : { maxCostUsd }),
      ...(form.withPreview && rows > previewRowsOf(form) ? { preview: previewRowsOf(form) } : {}),
      ...(form.deduplicate ? {} : { deduplicate: false as const }),
      ...(form.webhookUrl ? { webhookUrl: form.webhookUrl } : {}),
      ...(form.name.trim() ? { name: form.name.trim() } : {}),
      ...(hours === undefined ? {} : { expiresInSeconds: Math.round(hours * 3_600) }),
      ...(asDraft ? { autoStart: false as const } : {}),
    },
  };
}

export function buildSource({ source }: Form): Submission['source'] | null {
  if (source.kind === 'file') return { fileId: source.fileId };
  if (source.kind === 'none') return null;
  const texts = textsOf(source.text);
  return texts.length > 0 ? { texts } : null;
}

/** The form of a batch that is there. */
export function copyOf(
  batch: {
    operation: string;
    options: Record<string, unknown>;
    model: string;
    execution: 'LIVE' | 'PROVIDER_BATCH';
    name: string | null;
    maxCostUsd: number | null;
    webhookUrl: string | null;
  },
  fileId: string | null,
): Partial<Form> {
  const operation = operationNames.find((name) => name === batch.operation.toLowerCase()) ?? 'run';
  const { categories, categoryDescriptions, fields, model: _, ...others } = batch.options;
  const meanings = (categoryDescriptions ?? {}) as Record<string, string>;
  const typed = Object.entries(others).flatMap(([name, value]) =>
    value === null || value === undefined || value === false
      ? []
      : [[name, typeof value === 'object' ? JSON.stringify(value, null, 2) : String(value)]],
  );
  return {
    ...(fileId ? { source: { kind: 'file', fileId } } : {}),
    operation,
    model: batch.model,
    execution: batch.execution,
    name: batch.name ?? '',
    stopAt: batch.maxCostUsd === null ? '' : String(batch.maxCostUsd),
    webhookUrl: batch.webhookUrl ?? '',
    categories: writeCategories((categories ?? []) as string[], meanings),
    fields: Array.isArray(fields) ? fields.map(rowOf) : [emptyField],
    options: { ...emptyForm.options, [operation]: Object.fromEntries(typed) },
  };
}

/** The form with what a batch has, but for the fields that were changed before it was read. */
export function withCopy(form: Form, copy: Partial<Form>, changed: ReadonlySet<keyof Form>): Form {
  const options = { ...copy.options, ...form.options };
  for (const name of operationNames) {
    options[name] = { ...copy.options?.[name], ...form.options[name] };
  }
  const taken = Object.entries(copy).filter(([name]) => !changed.has(name as keyof Form));
  return { ...form, ...Object.fromEntries(taken), ...(changed.has('options') ? { options } : {}) };
}

function rowOf(given: Record<string, unknown>): FieldRow {
  const list = (value: unknown) => (Array.isArray(value) ? value.join(', ') : '');
  return {
    name: String(given.name ?? ''),
    type: (given.type as FieldRow['type'] | undefined) ?? 'TEXT',
    description: String(given.description ?? ''),
    values: list(given.validValues),
  };
}
