/** The pieces of a strict schema that stand for themselves: types, values, constraints, null. */
import { isRecord } from '../../core/json.ts';
import type { JsonSchema } from '../../model/request.ts';
import { ownValue } from '../answer.ts';
import { createValidator } from './validator.ts';

/**
 * Constraints that are dropped and told in the description. Winnow's own validation enforces them.
 */
const toldConstraints = ['minLength', 'maxLength', 'uniqueItems', 'minProperties', 'maxProperties'];

const numberConstraints = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
];

const strictFormats = new Set('date duration email hostname ipv4 ipv6 uuid'.split(' '));

const datePattern = '\\d{4}-\\d{2}-\\d{2}';
const timePattern = '\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?(Z|[+-]\\d{2}:\\d{2})?';

/** Servers that enforce these formats want a zone, which texts lack: sent as patterns for both. */
const localTimeFormats: Readonly<Record<string, { pattern: string; told: string }>> = {
  time: {
    pattern: `^${timePattern}$`,
    told: 'A time, such as 15:00:00; with its zone only where that is known.',
  },
  'date-time': {
    pattern: `^${datePattern}T${timePattern}$`,
    told: 'A date and time, such as 2026-03-01T15:00:00; with its zone only where that is known.',
  },
};

/** Look-around, named groups, back references and Unicode classes are not taken. */
const hardPattern = /\(\?(?!:)|\\[1-9kpPbB]/;

type Local = (typeof localTimeFormats)[string] | undefined;

const annotations = new Set([
  '$comment',
  '$defs',
  '$schema',
  'default',
  'definitions',
  'deprecated',
  'description',
  'example',
  'examples',
  'readOnly',
  'title',
  'writeOnly',
]);

/** True for a keyword that constrains nothing. */
export function isAnnotation(keyword: string): boolean {
  return annotations.has(keyword);
}

/** The types that a schema names, or that its keywords speak of; empty when neither says. */
export function typesOf(schema: JsonSchema): string[] {
  const type = ownValue(schema, 'type');
  if (type !== undefined) {
    const types = [type].flat().map(String);
    return types.includes('number') ? types.filter((name) => name !== 'integer') : types;
  }
  if (Object.hasOwn(schema, 'properties') || Object.hasOwn(schema, 'required')) {
    return ['object'];
  }
  return Object.hasOwn(schema, 'items') ? ['array'] : [];
}

/** The description, with the constraints that the sent schema leaves out. */
export function describeNode(schema: JsonSchema): { description?: string } {
  const description = ownValue(schema, 'description');
  const told: Record<string, unknown> = pick(schema, toldConstraints);
  const { format, pattern } = schema;
  const local =
    typeof format === 'string' ? (ownValue(localTimeFormats, format) as Local) : undefined;
  if (typeof format === 'string' && !strictFormats.has(format) && !local) {
    told.format = format;
  }
  if (typeof pattern === 'string' && hardPattern.test(pattern)) {
    told.pattern = pattern;
  }
  const parts = [
    ...(typeof description === 'string' ? [description] : []),
    ...(local ? [local.told] : []),
    ...(Object.keys(told).length > 0 ? [`Constraints: ${JSON.stringify(told)}`] : []),
  ];
  return parts.length > 0 ? { description: parts.join('\n') } : {};
}

/** The constraints on a string, number or array that strict mode takes. */
export function constraints(type: string, schema: JsonSchema): JsonSchema {
  const { format, pattern } = schema;
  switch (type) {
    case 'array':
      return pick(schema, ['minItems', 'maxItems']);
    case 'number':
    case 'integer':
      return pick(schema, numberConstraints);
    case 'string': {
      const local =
        typeof format === 'string' ? (ownValue(localTimeFormats, format) as Local) : undefined;
      const own = typeof pattern === 'string' ? pattern : local?.pattern;
      return {
        ...(typeof format === 'string' && strictFormats.has(format) ? { format } : {}),
        ...(own !== undefined && !hardPattern.test(own) ? { pattern: own } : {}),
      };
    }
    default:
      return {};
  }
}

/** Schema of an enum or const, a branch for each type. Null for objects, arrays or no value. */
export function valuesNode(schema: JsonSchema): JsonSchema | null {
  const { enum: listed } = schema;
  const { start } = createValidator(schema);
  const { accepts } = start(() => undefined);
  // What else the schema says of them is not sent beside an enum.
  const values = new Set(
    (Array.isArray(listed) ? listed : [schema.const]).filter(
      (value) => Object(value) === value || accepts(schema, value),
    ),
  );
  const types = ownValue(schema, 'type') === undefined ? null : typesOf(schema);
  const byType = new Map<string, unknown[]>();
  for (const value of values) {
    const type = typeOfValue(value, types);
    if (type === null) {
      return null;
    }
    if (type !== '') {
      byType.set(type, [...(byType.get(type) ?? []), value]);
    }
  }
  const nodes = [...byType].map(
    ([type, members]): JsonSchema => (type === 'null' ? { type } : { type, enum: members }),
  );
  return nodes.length > 1 ? { anyOf: nodes } : (nodes[0] ?? null);
}

/** The same schema, or null. */
export function nullable(schema: JsonSchema): JsonSchema {
  const { type, anyOf } = schema;
  if ([type].flat().includes('null')) {
    return schema;
  }
  if (Array.isArray(anyOf)) {
    return anyOf.some((branch: JsonSchema) => [branch.type].flat().includes('null'))
      ? schema
      : { ...schema, anyOf: [...anyOf, { type: 'null' }] };
  }
  const isPlain = typeof type === 'string' && type !== 'object' && type !== 'array';
  return isPlain && !Object.hasOwn(schema, 'enum')
    ? { ...schema, type: [type, 'null'] }
    : { anyOf: [schema, { type: 'null' }] };
}

/** Pydantic 1 and OpenAPI wrap a reference in an allOf of one, to put a description beside it. */
export function onlyAllOf(schema: JsonSchema): JsonSchema | null {
  const { allOf } = schema;
  const onlyChild: unknown = Array.isArray(allOf) && allOf.length === 1 ? allOf[0] : null;
  return isRecord(onlyChild) &&
    Object.keys(schema).every((key) => key === 'allOf' || isAnnotation(key))
    ? onlyChild
    : null;
}

/** Null for a value that no enum of the subset has. Empty for one that the types exclude. */
function typeOfValue(value: unknown, types: readonly string[] | null): string | null {
  const type = value === null ? 'null' : typeof value;
  if (type === 'object' || type === 'undefined') {
    return null;
  }
  if (type !== 'number') {
    return types === null || types.includes(type) ? type : '';
  }
  const isWhole = Number.isInteger(value);
  if (types === null) {
    return 'number';
  }
  return types.includes('number')
    ? 'number'
    : types.includes('integer') && isWhole
      ? 'integer'
      : '';
}

function pick(schema: JsonSchema, keywords: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    keywords.filter((name) => Object.hasOwn(schema, name)).map((name) => [name, schema[name]]),
  );
}
