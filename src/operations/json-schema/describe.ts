/** Fields of a schema as a list for the prompt: a model may not have read the schema. */
import { isRecord, type JsonRecord } from '../../core/json.ts';
import type { JsonSchema } from '../../model/request.ts';
import { ownValue } from '../answer.ts';
import { knownForm } from '../known-forms.ts';
import { followReferences } from './subschemas.ts';

const maxDepth = 4;
const maxLines = 200;
/**
 * Length of all lines together. A schema that is referred to again and again is written out each
 * time.
 */
const maxCharacters = 200_000;
/** Alternatives of alternatives and lists of lists that are named; a schema may hold itself. */
const maxNesting = 2;

/**
 * One line per field, those of nested objects indented under it; at most 200 lines and four levels.
 * A field that takes null says so; one that has to have a value says what stands there where there
 * is none. `strict` says that an absent field is written as null.
 */
export function describeFields(root: JsonSchema, { strict }: { strict: boolean }): string {
  const lines: string[] = [];
  const place: Place = { root, strict, depth: 0, room: maxCharacters, kindOf: createKinds(root) };
  addFieldLines(root, lines, place);
  return lines.join('\n');
}

interface Place {
  readonly root: JsonSchema;
  readonly strict: boolean;
  depth: number;
  /** Characters that there is room for. */
  room: number;
  kindOf(schema: JsonSchema): Kind;
}

function addFieldLines(schema: JsonSchema, lines: string[], place: Place): void {
  const { root, depth } = place;
  const { properties, required } = followReferences(root, schema);
  if (!isRecord(properties) || depth === maxDepth) {
    return;
  }
  for (const [name, property] of Object.entries(properties)) {
    if (place.room <= 0 || lines.length > maxLines) {
      return;
    }
    const own = isRecord(property) ? property : {};
    const target = followReferences(root, own);
    const isRequired = Array.isArray(required) && required.includes(name);
    const kind = place.kindOf(target);
    const head = `${'  '.repeat(depth)}- ${JSON.stringify(name)} (${withAbsence(kind, { isRequired, strict: place.strict })})`;
    const description =
      own.description ?? target.description ?? (kind.isPlainText && knownForm(name));
    const line = typeof description === 'string' && description ? `${head}: ${description}` : head;
    place.room -= line.length;
    if (place.room <= 0 || lines.length === maxLines) {
      place.room = 0;
      lines.push('- … and the others that the schema has');
      return;
    }
    lines.push(line);
    place.depth = depth + 1;
    addFieldLines(isRecord(target.items) ? target.items : target, lines, place);
    place.depth = depth;
  }
}

interface Kind {
  /** Kinds that the value may have, without null. */
  names: string[];
  takesNull: boolean;
  /** Text to write for a missing value when null is not accepted. Null when the text is obvious. */
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

/**
 * Makes a function that names a schema in plain words, alternatives one after the other. Each part
 * is looked at once for each level, however often the schema refers to it.
 */
function createKinds(root: JsonSchema): (schema: JsonSchema) => Kind {
  const known = Array.from({ length: maxNesting + 1 }, () => new Map<JsonSchema, Kind>());

  function kindAt(level: number, schema: JsonSchema): Kind {
    const found = known[level]?.get(schema) ?? makeKind(level, schema);
    known[level]?.set(schema, found);
    return found;
  }

  function makeKind(level: number, schema: JsonSchema): Kind {
    const values = schema.enum ?? (Object.hasOwn(schema, 'const') ? [schema.const] : undefined);
    if (Array.isArray(values)) {
      return kindOfValues(values);
    }
    const inside =
      level === maxNesting
        ? null
        : (branch: JsonRecord) => kindAt(level + 1, followReferences(root, branch));
    const alternatives = [ownValue(schema, 'anyOf') ?? ownValue(schema, 'oneOf') ?? []].flat();
    const kinds = inside ? alternatives.filter(isRecord).map(inside) : [];
    const types = [schema.type ?? (kinds.length > 0 ? [] : 'value')].flat().map(String);
    const items = inside && isRecord(schema.items) ? inside(schema.items) : null;
    const names = types
      .filter((type) => type !== 'null')
      .map((type) => typeName(schema, type, items));
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

  return (schema) => kindAt(0, schema);
}

function kindOfValues(values: readonly unknown[]): Kind {
  const others = values.filter((value) => value !== null);
  const listed = others.map((value) => JSON.stringify(value)).join(', ');
  return {
    names: others.length > 0 ? [`one of ${listed}`] : [],
    takesNull: others.length < values.length,
    blank: others.length > 1 ? 'the nearest if none fits' : null,
    isPlainText: false,
  };
}

function typeName(schema: JsonSchema, type: string, items: Kind | null): string {
  const { format } = schema;
  if (type === 'array') {
    return items && items.names.length > 0 ? `list of ${items.names.join(' or ')}` : 'list';
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
    return isRecord(schema.items) && isPlainText(schema.items);
  }
  const said = ['enum', 'const', 'format', 'pattern', 'examples', 'default'];
  return types.join() === 'string' && !said.some((keyword) => Object.hasOwn(schema, keyword));
}
