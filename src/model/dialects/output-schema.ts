/**
 * A JSON Schema in the subset that Anthropic's output format takes
 * (https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations).
 * Pure.
 *
 * The subset has no limits on numbers, lengths and counts: they become words in the description,
 * and answers are validated against the whole schema either way.
 */
import { isRecord, type JsonRecord } from '../../core/json.ts';

/** Constraints that a schema of any type may have here only in words. */
const told = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'maxItems',
  'uniqueItems',
  'contains',
  'minContains',
  'maxContains',
  'minProperties',
  'maxProperties',
  'patternProperties',
  'propertyNames',
] as const;

const formats = new Set([
  'date-time',
  'time',
  'date',
  'duration',
  'email',
  'hostname',
  'uri',
  'ipv4',
  'ipv6',
  'uuid',
]);

/** The schema, with the rest of it told in descriptions. Objects are closed; oneOf is anyOf. */
export function toOutputSchema(schema: Readonly<JsonRecord>): JsonRecord {
  const node: JsonRecord = { ...schema };
  delete node.$schema;
  const notes: JsonRecord = {};
  for (const name of told) move(node, name, notes);
  if (Number(node.minItems ?? 0) > 1) move(node, 'minItems', notes);
  if (typeof node.format === 'string' && !formats.has(node.format)) move(node, 'format', notes);
  if (Array.isArray(node.oneOf) && node.anyOf === undefined) move(node, 'oneOf', node, 'anyOf');
  for (const name of ['properties', '$defs', 'definitions']) {
    const named = node[name];
    if (isRecord(named)) node[name] = mapValues(named);
  }
  for (const name of ['anyOf', 'allOf']) {
    const list = node[name];
    if (Array.isArray(list)) node[name] = list.map(child);
  }
  if (isRecord(node.items)) node.items = toOutputSchema(node.items);
  if ([node.type].flat().includes('object')) node.additionalProperties = false;
  if (Object.keys(notes).length > 0) {
    const words = JSON.stringify(notes);
    node.description =
      typeof node.description === 'string' ? `${node.description}\n${words}` : words;
  }
  return node;
}

function child(schema: unknown): unknown {
  return isRecord(schema) ? toOutputSchema(schema) : schema;
}

// fromEntries defines properties, so that one named `__proto__` stays one.
function mapValues(named: JsonRecord): JsonRecord {
  return Object.fromEntries(Object.entries(named).map(([name, schema]) => [name, child(schema)]));
}

function move(from: JsonRecord, name: string, to: JsonRecord, as = name): void {
  if (from[name] === undefined) return;
  to[as] = from[name];
  delete from[name];
}
