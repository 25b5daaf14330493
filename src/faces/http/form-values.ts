/**
 * Values of form fields, which are text. The schema of a field tells what its text is. JSON is read
 * as JSON or refused, words of an enum are taken in either case, and keys of objects in snake or
 * camel case.
 */
import type { z } from 'zod';
import { isRecord } from '../../core/json.ts';
import { jsonProblem } from '../../core/json-problem.ts';
import { jsonSizeProblem } from './json-size.ts';

/** A form's value for a field: one text, several texts, or a value in the JSON of `options`. */
export type Given = string | readonly string[] | { json: unknown };

/** The shape that a schema wants, as far as a form has to know. */
export type Shape =
  | { kind: 'text' | 'number' | 'integer' | 'boolean' | 'map' | 'any' }
  | { kind: 'word'; words: readonly string[] }
  | { kind: 'list'; element: z.ZodType }
  | { kind: 'object'; fields: Readonly<Record<string, z.ZodType>> };

/** Why a text cannot be a value of its schema. The message begins behind the name of the field. */
export class UnfitValue extends Error {
  override readonly name = 'UnfitValue';
}

/** Values of the JSON in one field: 4 MB could hold a million. */
export const maxFieldValues = 100_000;
/** More than any list of a form takes. To check each of a million entries would take long. */
const maxEntries = 10_000;

/** The value that a field is given, not checked further. Throws UnfitValue. */
export function readGiven(schema: z.ZodType, given: Given): unknown {
  if (typeof given === 'string') return fromText(schema, given);
  if ('json' in given) return fromJson(schema, given.json);
  if (shapeOf(schema).kind !== 'list') throw new UnfitValue('is given more than once');
  return fromJson(
    schema,
    given.map((text) => (isJson(text) ? parseJson(text, schema) : text)),
  );
}

/** Words on the values of a schema, which go behind "takes" and "needs to be". */
export function takes(schema: z.ZodType): string {
  const shape = shapeOf(schema);
  switch (shape.kind) {
    case 'text':
      return 'text';
    case 'number':
      return 'a number';
    case 'integer':
      return 'a whole number';
    case 'boolean':
      return 'true or false';
    case 'map':
      return 'a JSON object';
    case 'any':
      return 'JSON';
    case 'word':
      return `one of ${shape.words.join(', ')}`;
    case 'object':
      return `a JSON object {${Object.keys(shape.fields).join(', ')}}`;
    case 'list': {
      const element = shapeOf(shape.element);
      const names = isListOfNames(shape) ? ', or names with commas between them' : '';
      if (element.kind === 'text') return `a JSON array of texts${names}`;
      if (element.kind !== 'object') return 'a JSON array';
      return `a JSON array of objects {${Object.keys(element.fields).join(', ')}}${names}`;
    }
  }
}

export function shapeOf(schema: z.ZodType): Shape {
  const { def } = schema as unknown as { def: Def };
  const inner = def.innerType ?? def.in;
  if (inner) return shapeOf(inner);
  switch (def.type) {
    case 'string':
      return { kind: 'text' };
    case 'number':
      return { kind: def.format === undefined ? 'number' : 'integer' };
    case 'boolean':
      return { kind: 'boolean' };
    case 'enum':
      return { kind: 'word', words: Object.values(def.entries ?? {}) };
    case 'array':
      return def.element ? { kind: 'list', element: def.element } : { kind: 'any' };
    case 'object':
      return { kind: 'object', fields: def.shape ?? {} };
    case 'record':
      return { kind: 'map' };
    default:
      return { kind: 'any' };
  }
}

/** The parts of a zod schema that are read here. https://zod.dev/packages/core#internals */
interface Def {
  type: string;
  /** The type inside of optional, nullable, default and the like. */
  innerType?: z.ZodType;
  /** The first type of a pipe. */
  in?: z.ZodType;
  element?: z.ZodType;
  shape?: Record<string, z.ZodType>;
  entries?: Record<string, string>;
  format?: string;
}

/** Names in camel case, for who writes them in snake case. */
export function toCamelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * The value of JSON text. Throws UnfitValue: of what there is too much, or where it breaks and what
 * `schema` takes.
 */
export function parseJson(text: string, schema: z.ZodType): unknown {
  // A field may come from a file, and a file may begin with a mark.
  const json = text.replace(/^\ufeff/, '');
  const problem = jsonSizeProblem(Buffer.from(json), { values: maxFieldValues });
  if (problem !== null) throw new UnfitValue(problem);
  try {
    return JSON.parse(json);
  } catch {
    throw new UnfitValue(`is not JSON: ${jsonProblem(json)}; it takes ${takes(schema)}`);
  }
}

function fromText(schema: z.ZodType, text: string): unknown {
  const shape = shapeOf(schema);
  if (shape.kind === 'text') return text;
  const trimmed = text.trim();
  if (trimmed === 'null') return null;
  switch (shape.kind) {
    case 'word':
      return fromJson(schema, trimmed);
    case 'number':
    case 'integer':
      return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(trimmed) ? Number(trimmed) : text;
    case 'boolean':
      return truth.get(trimmed.toLowerCase()) ?? text;
  }
  if (isJson(text)) return fromJson(schema, parseJson(text, schema));
  if (shape.kind === 'list' && isListOfNames(shape)) return fromJson(schema, namesIn(text));
  return shape.kind === 'map' || shape.kind === 'object' ? trimmed : text;
}

const truth: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);

/** Names with commas or line breaks between them. Quotes would be cut at the commas inside them. */
function namesIn(text: string): string[] {
  const names = text
    .split(/[,\r\n]/)
    .map((one) => one.trim())
    .filter((one) => one !== '');
  if (names.some((name) => name.startsWith('"'))) {
    throw new UnfitValue(
      'has a name in quotes; write a JSON array, ["a", "b"], or the names without quotes',
    );
  }
  return names;
}

/** A parsed value, its words and keys as in the schema, and objects in place of bare names. */
function fromJson(schema: z.ZodType, value: unknown): unknown {
  const shape = shapeOf(schema);
  switch (shape.kind) {
    case 'word': {
      const wanted = typeof value === 'string' ? value.toUpperCase() : null;
      return shape.words.find((word) => word.toUpperCase() === wanted) ?? value;
    }
    case 'list':
      if (!Array.isArray(value)) return value;
      if (value.length > maxEntries) {
        throw new UnfitValue(`has a list of more than ${maxEntries.toLocaleString('en')} entries`);
      }
      return value.map((one) => fromJson(shape.element, one));
    case 'object':
      if (typeof value === 'string' && isNamed(shape.fields)) return { name: value };
      if (!isRecord(value)) return value;
      return Object.fromEntries(
        Object.entries(value).map(([key, inner]) => {
          const name = nameOf(key, value, shape.fields);
          const field = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
          return [name, field ? fromJson(field, inner) : inner];
        }),
      );
    default:
      return value;
  }
}

/** The key where it is known, or given in both spellings: then one of them stays unknown. */
function nameOf(key: string, given: object, fields: Readonly<Record<string, z.ZodType>>): string {
  const camel = toCamelCase(key);
  return Object.hasOwn(fields, camel) && !Object.hasOwn(given, camel) ? camel : key;
}

function isListOfNames({ element }: { element: z.ZodType }): boolean {
  const shape = shapeOf(element);
  return shape.kind === 'text' || (shape.kind === 'object' && isNamed(shape.fields));
}

/** True where a bare name stands for an object that has nothing else. */
function isNamed(fields: Readonly<Record<string, z.ZodType>>): boolean {
  return (
    Object.hasOwn(fields, 'name') &&
    Object.entries(fields).every(
      ([name, field]) => name === 'name' || field.safeParse(undefined).success,
    )
  );
}

function isJson(text: string): boolean {
  return /^\s*[[{]/.test(text);
}
