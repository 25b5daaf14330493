/** A schema's fields as a list for the prompt: a model that is only held to a schema may never have read it. */
import type { JsonSchema } from '../../model/model.ts';
import { isObject, ownValue } from '../answer.ts';
import { knownForm } from '../known-forms.ts';
import { followReferences } from './subschemas.ts';

const MAX_DEPTH = 4;
const MAX_LINES = 200;

/**
 * One line per field, those of nested objects indented under it; at most 200 lines and four levels. A field that takes null says so; one that has to
 * have a value says what stands there where there is none. `strict` says that an absent field is written as null.
 */
export function describeFields(root: JsonSchema, { strict }: { strict: boolean }): string {
  const lines: string[] = [];
  addFieldLines(root, lines, { root, strict, depth: 0 });
  return lines.join('\n');
}

interface Place {
  root: JsonSchema;
  strict: boolean;
  depth: number;
}

function addFieldLines(schema: JsonSchema, lines: string[], place: Place): void {
  const { root, depth } = place;
  const { properties, required } = followReferences(root, schema);
  if (!isObject(properties) || depth === MAX_DEPTH) {
    return;
  }
  for (const [name, property] of Object.entries(properties)) {
    if (lines.length === MAX_LINES) {
      lines.push('- … and the others that the schema has');
    }
    if (lines.length > MAX_LINES) {
      return;
    }
    const own = isObject(property) ? property : {};
    const target = followReferences(root, own);
    const isRequired = Array.isArray(required) && required.includes(name);
    const kind = kindOf(root, target);
    const head = `${'  '.repeat(depth)}- ${JSON.stringify(name)} (${withAbsence(kind, { isRequired, strict: place.strict })})`;
    const description =
      own.description ?? target.description ?? (kind.isPlainText && knownForm(name));
    lines.push(typeof description === 'string' && description ? `${head}: ${description}` : head);
    addFieldLines(isObject(target.items) ? target.items : target, lines, {
      ...place,
      depth: depth + 1,
    });
  }
}

interface Kind {
  /** What it may be, null left out. */
  names: string[];
  takesNull: boolean;
  /** What to write for no value where null is not taken; null where that goes without saying. */
  blank: string | null;
  /** Text, or a list of texts, of any form. */
  isPlainText: boolean;
}

function withAbsence(
  { names, takesNull, blank }: Kind,
  { isRequired, strict }: { isRequired: boolean; strict: boolean },
): string {
  const what = names.join(' or ') || 'value';
  if (takesNull || (strict && !isRequired)) {
    return names.length === 0 && takesNull ? 'null' : `${what} or null`;
  }
  if (!isRequired) return `${what}, left out if there is none`;
  return blank === null ? what : `${what}, ${blank}`;
}

/** A schema as people would name it; alternatives are named one after the other. */
function kindOf(root: JsonSchema, schema: JsonSchema): Kind {
  const values = schema.enum ?? (Object.hasOwn(schema, 'const') ? [schema.const] : undefined);
  if (Array.isArray(values)) {
    const others = values.filter((value) => value !== null);
    return {
      names: others.length > 0 ? [`one of ${others.map((v) => JSON.stringify(v)).join(', ')}`] : [],
      takesNull: others.length < values.length,
      blank: others.length > 1 ? 'the nearest if none fits' : null,
      isPlainText: false,
    };
  }
  const alternatives = [ownValue(schema, 'anyOf') ?? ownValue(schema, 'oneOf') ?? []].flat();
  const kinds = alternatives
    .filter(isObject)
    .map((branch) => kindOf(root, followReferences(root, branch)));
  const types = [schema.type ?? (kinds.length > 0 ? [] : 'value')].flat().map(String);
  const names = types.filter((type) => type !== 'null').map((type) => typeName(root, schema, type));
  return {
    names: [...new Set([...names, ...kinds.flatMap((kind) => kind.names)])],
    takesNull:
      types.includes('null') ||
      (schema.nullable === true && schema.type !== undefined) ||
      kinds.some(({ takesNull }) => takesNull),
    blank: types.length === 1 && kinds.length === 0 ? blankOf(schema) : null,
    isPlainText: kinds.length === 0 && isPlainText(schema),
  };
}

function typeName(root: JsonSchema, schema: JsonSchema, type: string): string {
  const { format, items } = schema;
  if (type === 'array') {
    const inner = isObject(items) ? kindOf(root, followReferences(root, items)) : null;
    return inner && inner.names.length > 0 ? `list of ${inner.names.join(' or ')}` : 'list';
  }
  return type === 'string' && typeof format === 'string' ? format : type;
}

function blankOf(schema: JsonSchema): string | null {
  const has = (keyword: string) => Object.hasOwn(schema, keyword);
  const free = (blank: string) => `${blank} if there is none`;
  switch (schema.type) {
    case 'string':
      return has('format') || has('pattern') || Number(schema.minLength ?? 0) > 0
        ? free('the likeliest')
        : free('""');
    case 'number':
    case 'integer':
      return free(isWithin(schema, 0) ? '0' : 'the likeliest');
    case 'boolean':
      return free('false');
    default:
      return null;
  }
}

function isWithin(schema: JsonSchema, value: number): boolean {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  return (
    !(typeof minimum === 'number' && minimum > value) &&
    !(typeof maximum === 'number' && maximum < value) &&
    !(typeof exclusiveMinimum === 'number' && exclusiveMinimum >= value) &&
    !(typeof exclusiveMaximum === 'number' && exclusiveMaximum <= value)
  );
}

function isPlainText(schema: JsonSchema): boolean {
  const types = [schema.type].flat().filter((type) => type !== 'null');
  if (types.join() === 'array') {
    return isObject(schema.items) && isPlainText(schema.items);
  }
  const said = ['enum', 'const', 'format', 'pattern', 'examples', 'default'];
  return types.join() === 'string' && !said.some((keyword) => Object.hasOwn(schema, keyword));
}
