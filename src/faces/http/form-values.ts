/**
 * Values of form fields, which are text: what each is meant to be is told by its schema. JSON is
 * read as JSON or refused, never as something else; words of an enum are taken in either case, and
 * the keys of objects in snake or camel case.
 */
import type { z } from 'zod';
import { jsonProblem } from '../../core/json-problem.ts';

/**
 * A value as it stood in the form: texts, one or several, or what stood in the JSON of `options`.
 */
export type Given = string | readonly string[] | { json: unknown };

/** What a schema wants, as far as a form has to know. */
export type Shape =
  | { kind: 'text' | 'number' | 'integer' | 'boolean' | 'map' | 'any' }
  | { kind: 'word'; words: readonly string[] }
  | { kind: 'list'; element: z.ZodType }
  | { kind: 'object'; fields: Readonly<Record<string, z.ZodType>> };

export type Reading = { value: unknown; problem: null } | { problem: string };

/**
 * More than any list of a form takes; to say what is wrong with each of a million entries would
 * take long.
 */
const maxEntries = 10_000;

/**
 * The value that a field is given, not checked any further. A problem where it cannot be one for
 * this schema.
 */
export function readGiven(schema: z.ZodType, given: Given): Reading {
  const reading = readOne(schema, given);
  if (reading.problem !== null || isWithin(schema, reading.value)) return reading;
  return { problem: `has a list of more than ${maxEntries.toLocaleString('en')} entries` };
}

function readOne(schema: z.ZodType, given: Given): Reading {
  if (typeof given === 'string') return fromText(schema, given);
  if ('json' in given) return good(fromJson(schema, given.json));
  const shape = shapeOf(schema);
  if (shape.kind !== 'list') return { problem: 'is given more than once' };
  const values: unknown[] = [];
  for (const text of given) {
    const one = isJson(text) ? parseJson(text, schema) : good(text);
    if (one.problem !== null) return one;
    values.push(one.value);
  }
  return good(fromJson(schema, values));
}

/** What a schema takes, in words that go behind "takes" and "needs to be". */
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
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'nonoptional':
    case 'default':
    case 'prefault':
    case 'catch':
    case 'readonly':
      return def.innerType ? shapeOf(def.innerType) : { kind: 'any' };
    case 'pipe':
      return def.in ? shapeOf(def.in) : { kind: 'any' };
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

/**
 * What zod keeps of a schema, as far as it is read here. https://zod.dev/packages/core#internals
 */
interface Def {
  type: string;
  innerType?: z.ZodType;
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

/** The value of JSON text; a problem that says where it breaks, and what `schema` takes. */
export function parseJson(text: string, schema: z.ZodType): Reading {
  // A field may come from a file, and a file may begin with a mark.
  const json = text.replace(/^\ufeff/, '');
  try {
    return good(JSON.parse(json));
  } catch {
    return { problem: `is not JSON: ${jsonProblem(json)}; it takes ${takes(schema)}` };
  }
}

function fromText(schema: z.ZodType, text: string): Reading {
  const shape = shapeOf(schema);
  if (shape.kind === 'text') return good(text);
  const trimmed = text.trim();
  if (trimmed === 'null') return good(null);
  switch (shape.kind) {
    case 'word':
      return good(fromJson(schema, trimmed));
    case 'number':
    case 'integer':
      return good(/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(trimmed) ? Number(trimmed) : text);
    case 'boolean':
      return good(truth.get(trimmed.toLowerCase()) ?? text);
    case 'map':
    case 'object':
    case 'any':
      return isJson(text) ? parsed(schema, text) : good(shape.kind === 'any' ? text : trimmed);
    case 'list':
      if (isJson(text)) return parsed(schema, text);
      return isListOfNames(shape) ? listOf(schema, text) : good(text);
  }
}

const truth: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);

function parsed(schema: z.ZodType, text: string): Reading {
  const reading = parseJson(text, schema);
  return reading.problem === null ? good(fromJson(schema, reading.value)) : reading;
}

/** Names with commas or line breaks between them. Quotes would be cut at the commas inside them. */
function listOf(schema: z.ZodType, text: string): Reading {
  const names = text
    .split(/[,\r\n]/)
    .map((one) => one.trim())
    .filter((one) => one !== '');
  if (names.some((name) => name.startsWith('"'))) {
    const problem =
      'has a name in quotes; write a JSON array, ["a", "b"], or the names without quotes';
    return { problem };
  }
  return good(fromJson(schema, names));
}

/**
 * A parsed value with words and keys as the schema spells them, and objects in place of bare names.
 */
function fromJson(schema: z.ZodType, value: unknown): unknown {
  const shape = shapeOf(schema);
  switch (shape.kind) {
    case 'word': {
      const wanted = typeof value === 'string' ? value.toUpperCase() : null;
      return shape.words.find((word) => word.toUpperCase() === wanted) ?? value;
    }
    case 'list':
      return Array.isArray(value) ? value.map((one) => fromJson(shape.element, one)) : value;
    case 'object': {
      if (typeof value === 'string' && isNamed(shape.fields)) return { name: value };
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
      return Object.fromEntries(
        Object.entries(value).map(([key, inner]) => {
          const name = nameOf(key, value, shape.fields);
          const field = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
          return [name, field ? fromJson(field, inner) : inner];
        }),
      );
    }
    default:
      return value;
  }
}

/** Whether all lists that the schema knows of are short enough to be checked one by one. */
function isWithin(schema: z.ZodType, value: unknown): boolean {
  const shape = shapeOf(schema);
  if (shape.kind === 'list' && Array.isArray(value)) {
    return value.length <= maxEntries && value.every((one) => isWithin(shape.element, one));
  }
  if (shape.kind !== 'object' || typeof value !== 'object' || value === null) return true;
  return Object.entries(shape.fields).every(
    ([name, field]) =>
      !Object.hasOwn(value, name) || isWithin(field, (value as Record<string, unknown>)[name]),
  );
}

/**
 * The key itself where it is known, or is given in both spellings: then one of the two stays
 * unknown.
 */
function nameOf(key: string, given: object, fields: Readonly<Record<string, z.ZodType>>): string {
  const camel = toCamelCase(key);
  return Object.hasOwn(fields, camel) && !Object.hasOwn(given, camel) ? camel : key;
}

function isListOfNames({ element }: { element: z.ZodType }): boolean {
  const shape = shapeOf(element);
  return shape.kind === 'text' || (shape.kind === 'object' && isNamed(shape.fields));
}

/** Whether a bare name stands for an object that has nothing else. */
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

function good(value: unknown): Reading {
  return { value, problem: null };
}
