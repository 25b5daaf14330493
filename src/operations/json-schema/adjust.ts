/** An answer that is right but for its form: set right where its schema leaves no doubt. */
import { isRecord, type JsonRecord } from '../../core/json.ts';
import type { JsonSchema } from '../../model/request.ts';
import { ownValue } from '../answer.ts';
import { type Choices, createChoices } from '../choice.ts';
import { resolveReference } from './subschemas.ts';

/**
 * A value, and the same value in which a number that JavaScript would change is the text of the
 * number. Undefined when all numbers are exact.
 */
export interface Written {
  value: unknown;
  exact: unknown;
}

export interface AdjustOptions {
  root: JsonSchema;
  /** The objects that take no other keys only because Winnow closed them. */
  closed: ReadonlySet<JsonSchema>;
  /** True when a part of the schema accepts a value. */
  accepts(part: unknown, value: unknown): boolean;
  /** The value without the nulls that stand for absent members. */
  restore(value: unknown, part: JsonSchema): unknown;
}

const numberPattern = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * The answer without keys that no part of the schema names, unless the user closed the object; with
 * numbers, true and false that stand as text where text is not allowed, and digits where only text
 * is; and with one of several texts that are allowed where it fits but for its form. Of
 * alternatives the first is taken that accepts what comes of it.
 */
export function createAdjust({ root, closed, accepts, restore }: AdjustOptions) {
  // Alternatives try one value several times, and again inside each other: remembered, that stays
  // polynomial.
  const memory = new Map<JsonSchema, WeakMap<object, Written>>();

  function adjust(written: Written, schema: JsonSchema): Written {
    const { value } = written;
    if (typeof value !== 'object' || value === null) return adjustFresh(written, schema);
    const known = memory.get(schema) ?? new WeakMap<object, Written>();
    memory.set(schema, known);
    const adjusted = known.get(value) ?? adjustFresh(written, schema);
    known.set(value, adjusted);
    return adjusted;
  }

  function adjustFresh(written: Written, schema: JsonSchema): Written {
    let adjusted = adjustOwn(written, schema);
    const target = resolveReference(root, ownValue(schema, '$ref'));
    const all = [target, ...[ownValue(schema, 'allOf') ?? []].flat()].filter(isRecord);
    for (const inside of all) adjusted = adjust(adjusted, inside);
    for (const keyword of ['anyOf', 'oneOf']) {
      const branches = [ownValue(schema, keyword) ?? []].flat().filter(isRecord);
      adjusted = firstAccepted(adjusted, branches) ?? adjusted;
    }
    return adjusted;
  }

  function firstAccepted(written: Written, branches: readonly JsonSchema[]): Written | null {
    const fits = ({ value }: Written, branch: JsonSchema) =>
      accepts(branch, restore(value, branch));
    if (branches.some((branch) => fits(written, branch))) return written;
    for (const branch of branches) {
      const adjusted = adjust(written, branch);
      if (fits(adjusted, branch)) return adjusted;
    }
    return null;
  }

  function adjustOwn(written: Written, schema: JsonSchema): Written {
    const { value, exact } = written;
    if (Array.isArray(value)) return adjustEntries(value, exact, schema);
    if (isRecord(value)) return adjustMembers(value, exact, schema);
    const other = inOtherForm(written, schema);
    return other === null || !accepts(schema, other.value) ? written : other;
  }

  function adjustEntries(value: readonly unknown[], exact: unknown, schema: JsonSchema): Written {
    const first = [ownValue(schema, 'prefixItems') ?? []].flat();
    const items = ownValue(schema, 'items');
    const given = Array.isArray(exact) ? exact : [];
    const adjusted = value.map((entry, at) => {
      const inside = at < first.length ? first[at] : items;
      const written = { value: entry, exact: given[at] };
      return isRecord(inside) ? adjust(written, inside) : written;
    });
    return {
      value: adjusted.map((entry) => entry.value),
      exact: adjusted.some((entry) => entry.exact !== undefined)
        ? adjusted.map((entry) => entry.exact)
        : undefined,
    };
  }

  function adjustMembers(value: JsonRecord, exact: unknown, schema: JsonSchema): Written {
    const adjusted = Object.entries(value).flatMap(([name, member]): [string, Written][] => {
      let written: Written = { value: member, exact: ownValue(Object(exact), name) };
      const insides = schemasOf(name, schema);
      if (insides.length === 0 && isUnnamed(name, schema)) return [];
      for (const inside of insides) written = adjust(written, inside);
      return [[name, written]];
    });
    return {
      value: Object.fromEntries(adjusted.map(([name, member]) => [name, member.value])),
      exact: adjusted.some(([, member]) => member.exact !== undefined)
        ? Object.fromEntries(adjusted.map(([name, member]) => [name, member.exact]))
        : undefined,
    };
  }

  function isUnnamed(name: string, schema: JsonSchema): boolean {
    return closed.has(schema) && !Object.hasOwn(Object(ownValue(schema, 'properties')), name);
  }

  return (written: Written): Written => adjust(written, root);
}

/** Schemas that a schema has for a member. */
function schemasOf(name: string, schema: JsonSchema): JsonSchema[] {
  const own = ownValue(Object(ownValue(schema, 'properties')), name);
  const patterns = Object.entries(Object(ownValue(schema, 'patternProperties')))
    .filter(([pattern]) => new RegExp(pattern, 'u').test(name))
    .map(([, inside]) => inside);
  const named = [own, ...patterns].filter((inside) => inside !== undefined);
  const insides = named.length > 0 ? named : [ownValue(schema, 'additionalProperties')];
  return insides.filter(isRecord);
}

/** A plain value in the schema's form. Null when the form is right, or no other form fits. */
function inOtherForm({ value, exact }: Written, schema: JsonSchema): Written | null {
  const types = namedTypes(schema);
  if (types.length === 0) return null;
  const takesText = types.includes('string');
  const takesNumber = types.includes('number') || types.includes('integer');
  if (typeof value === 'number' && takesText && !takesNumber) {
    return asIs(choiceOf(typeof exact === 'string' ? exact : String(value), schema));
  }
  if (typeof value !== 'string') return null;
  if (takesText) return asIs(choiceOf(value, schema));
  const text = value.trim();
  if (takesNumber && numberPattern.test(text)) {
    return { value: Number(text), exact: text };
  }
  const word = text.toLowerCase();
  return types.includes('boolean') && (word === 'true' || word === 'false')
    ? asIs(word === 'true')
    : null;
}

function asIs(value: unknown): Written {
  return { value, exact: value };
}

/** The one of the texts allowed that is meant; the text itself where any is. */
function choiceOf(text: string, schema: JsonSchema): string {
  const values = ownValue(schema, 'enum');
  if (!Array.isArray(values)) return text;
  const choices = knownChoices.get(values) ?? createChoices(values.filter(isText), 'values');
  knownChoices.set(values, choices);
  return choices.match(text) ?? text;
}

const knownChoices = new WeakMap<object, Choices>();

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function namedTypes(schema: JsonSchema): string[] {
  const type = ownValue(schema, 'type');
  if (type !== undefined) return [type].flat().map(String);
  const values = Object.hasOwn(schema, 'const')
    ? [schema.const]
    : [ownValue(schema, 'enum') ?? []].flat();
  return [...new Set(values.map((value) => (value === null ? 'null' : typeof value)))];
}
