/** The two keywords about members and entries that no other keyword has evaluated. */
import { isRecord, type JsonRecord } from '../../core/json.ts';
import { ownValue } from '../answer.ts';
import { patternChecks } from './member-keywords.ts';
import { accepts, type Check, checkAt, fail, isDone, type Run } from './run.ts';
import { inPlaceKeywords } from './subschemas.ts';

/** Access to the checks of a schema's parts. */
export interface Parts {
  compile(schema: unknown): Check;
  /** Target of a reference. */
  resolve(reference: unknown): unknown;
}

export function unevaluatedProperties(schema: JsonRecord, parts: Parts): Check {
  const check = parts.compile(schema.unevaluatedProperties);
  return (value, run) => {
    if (!isRecord(value)) return true;
    let valid = true;
    for (const name of Object.keys(value)) {
      run.tick();
      if (speaksOf(name, schema, { value, run, parts, own: false })) continue;
      if (schema.unevaluatedProperties === false) {
        const message = `must not have the key ${JSON.stringify(name)}`;
        valid = fail(run, 'unevaluatedProperties', message);
      } else if (!checkAt(name, check, value[name], run)) valid = false;
      if (!valid && isDone(run)) break;
    }
    return valid;
  };
}

export function unevaluatedItems(schema: JsonRecord, parts: Parts): Check {
  const check = parts.compile(schema.unevaluatedItems);
  return (value, run) => {
    if (!Array.isArray(value)) return true;
    let valid = true;
    for (const [at, entry] of value.entries()) {
      run.tick();
      if (speaksOf(at, schema, { value, run, parts, own: false })) continue;
      if (schema.unevaluatedItems === false) {
        valid = fail(run, 'unevaluatedItems', `must NOT have more than ${at} items`);
        break;
      }
      if (!checkAt(at, check, entry, run)) valid = false;
      if (!valid && isDone(run)) break;
    }
    return valid;
  };
}

interface Asked {
  value: object;
  run: Run;
  parts: Parts;
  /** True when the schema's own unevaluated keyword counts. */
  own: boolean;
}

/** True when a schema evaluates a member or an entry, by itself or by one for the same value. */
function speaksOf(key: string | number, schema: JsonRecord, asked: Asked): boolean {
  asked.run.tick();
  return (
    (typeof key === 'number'
      ? speaksOfEntry(key, schema, asked)
      : speaksOfMember(key, schema, asked)) ||
    inPlace(schema, asked).some((inside) => speaksOf(key, inside, { ...asked, own: true }))
  );
}

function speaksOfMember(name: string, schema: JsonRecord, { parts, own }: Asked): boolean {
  return (
    Object.hasOwn(schema, 'additionalProperties') ||
    (own && Object.hasOwn(schema, 'unevaluatedProperties')) ||
    Object.hasOwn(Object(ownValue(schema, 'properties')), name) ||
    patternChecks(schema, parts.compile).some(({ pattern }) => pattern.test(name))
  );
}

function speaksOfEntry(at: number, schema: JsonRecord, { value, run, parts, own }: Asked): boolean {
  if (Object.hasOwn(schema, 'items') || (own && Object.hasOwn(schema, 'unevaluatedItems'))) {
    return true;
  }
  if (at < [ownValue(schema, 'prefixItems') ?? []].flat().length) return true;
  const entry: unknown = Array.isArray(value) ? value[at] : undefined;
  return Object.hasOwn(schema, 'contains') && accepts(parts.compile(schema.contains), entry, run);
}

/** The schemas that apply to the same value, and accept it. */
function inPlace(schema: JsonRecord, { value, run, parts }: Asked): JsonRecord[] {
  const condition = ownValue(schema, 'if');
  const holds = condition !== undefined && accepts(parts.compile(condition), value, run);
  const candidates = [...inPlaceKeywords, '$ref'].flatMap((keyword): unknown[] => {
    const inside = ownValue(schema, keyword);
    if (keyword === 'not' || inside === undefined) return [];
    if (keyword === '$ref') return [parts.resolve(inside)];
    if (keyword === 'if' || keyword === 'then') return holds ? [inside] : [];
    if (keyword === 'else') return condition === undefined || holds ? [] : [inside];
    if (keyword !== 'dependentSchemas') return [inside].flat();
    return Object.entries(Object(inside)).flatMap(([name, dependent]) =>
      Object.hasOwn(value, name) ? [dependent] : [],
    );
  });
  return candidates.filter(isRecord).filter((one) => accepts(parts.compile(one), value, run));
}
