/** The options of operations, as the schema has them: which fields a form shows, and how. */
import { type InputField, inputs } from 'winnow:schema';
import type { OperationName } from './submission.ts';
import { parseTypedJson } from './typed-json.ts';

/** Fields that the form has parts of its own for. */
const ownParts = new Set(['categories', 'categoryDescriptions', 'fields', 'model']);

/** Shown at once; all others are behind "More options". */
const common: Readonly<Record<OperationName, readonly string[]>> = {
  label: ['instructions', 'multiLabel', 'allowNone'],
  extract: ['schema', 'instructions'],
  summarize: ['instructions', 'maxOutputTokens'],
  enrich: [],
  run: ['instructions'],
  chat: ['responseSchema'],
};

/** The fields that the form shows as the schema says. */
export function fieldsOf(operation: OperationName): readonly InputField[] {
  const type = `${operation[0]?.toUpperCase()}${operation.slice(1)}Options`;
  return (inputs[type] ?? []).filter(({ name }) => !ownParts.has(name));
}

export function commonFieldsOf(operation: OperationName): readonly InputField[] {
  const fields = fieldsOf(operation);
  return common[operation].flatMap((name) => fields.filter((field) => field.name === name));
}

export function otherFieldsOf(operation: OperationName): readonly InputField[] {
  return fieldsOf(operation).filter(({ name }) => !common[operation].includes(name));
}

/** `multiLabel` as people read it: `Multi label`. */
export function nameOf({ name }: InputField): string {
  const own: Record<string, string> = {
    multiLabel: 'Several may apply',
    allowNone: 'None may apply',
    schema: 'Values to extract',
    includeContext: 'Send the other columns too',
    responseSchema: 'Schema of the answers',
  };
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return own[name] ?? `${words[0]?.toUpperCase()}${words.slice(1)}`;
}

export type Look = 'check' | 'number' | 'line' | 'text' | 'json';

const lines = new Set(['operation', 'reasoningEffort', 'referenceDate']);

export function lookOf({ name, type }: InputField): Look {
  if (type === 'Boolean') return 'check';
  if (type === 'Int' || type === 'Float') return 'number';
  if (type === 'String') return lines.has(name) ? 'line' : 'text';
  return 'json';
}

/** Typed text as a value of the API. */
export function readOption(
  field: InputField,
  typed: string,
): { value?: unknown; problem?: string } {
  const name = nameOf(field);
  switch (lookOf(field)) {
    case 'check':
      return { value: typed === 'true' ? true : undefined };
    case 'number': {
      const value = Number(typed);
      if (!Number.isFinite(value)) return { problem: `${name} must be a number` };
      if (field.type === 'Int' && !Number.isInteger(value)) {
        return { problem: `${name} must be a whole number` };
      }
      return { value };
    }
    case 'json':
      return readJson(field, typed);
    default:
      return { value: typed };
  }
}

function readJson(field: InputField, typed: string) {
  const short = field.name === 'schema' || field.name === 'responseSchema';
  if (short && !typed.trim().startsWith('{')) return readShortSchema(typed);
  try {
    return { value: parseTypedJson(typed) };
  } catch (error) {
    return { problem: `${nameOf(field)} must be JSON: ${(error as Error).message}` };
  }
}

/** `company: string` a line, or names with commas: an object of the short form. */
function readShortSchema(typed: string): { value?: unknown; problem?: string } {
  const parts = typed.split(/[\n,]/).map((part) => part.trim());
  const entries = parts.filter(Boolean).map((part) => {
    const [name = '', type = 'string'] = part.split(':').map((one) => one.trim());
    return [name, type] as const;
  });
  return { value: Object.fromEntries(entries) };
}
