/** The keywords of JSON Schema about what an object or a list holds. */
import { isRecord, type JsonRecord } from '../../core/json.ts';
import { ownValue } from '../answer.ts';
import { canonical } from './equality.ts';
import { accepts, type Check, checkAt, fail, isDone, type Run } from './run.ts';

/** Makes the check of one keyword of a schema. `compile` makes that of a schema inside. */
export type SchemaKeyword = (schema: JsonRecord, compile: (inside: unknown) => Check) => Check;

/** By the keyword that brings each in; the first of several that are checked together. */
export const memberKeywords: readonly { of: readonly string[]; check: SchemaKeyword }[] = [
  { of: ['required'], check: required },
  { of: ['dependentRequired'], check: dependentRequired },
  { of: ['minProperties', 'maxProperties'], check: propertyCount },
  { of: ['propertyNames'], check: propertyNames },
  { of: ['properties', 'patternProperties', 'additionalProperties'], check: members },
  { of: ['minItems', 'maxItems'], check: itemCount },
  { of: ['prefixItems', 'items'], check: entries },
  { of: ['contains'], check: contains },
  { of: ['uniqueItems'], check: uniqueItems },
];

function required(schema: JsonRecord): Check {
  const names = [schema.required ?? []].flat().map(String);
  return (value, run) => {
    if (!isRecord(value)) return true;
    let valid = true;
    for (const name of names) {
      if (Object.hasOwn(value, name)) continue;
      valid = fail(run, 'required', `must have the key ${JSON.stringify(name)}`);
      if (isDone(run)) break;
    }
    return valid;
  };
}

function dependentRequired(schema: JsonRecord): Check {
  const needs = Object.entries(Object(schema.dependentRequired)) as [string, unknown][];
  return (value, run) => {
    if (!isRecord(value)) return true;
    let valid = true;
    for (const [present, names] of needs) {
      if (!Object.hasOwn(value, present)) continue;
      for (const name of [names].flat().map(String)) {
        if (Object.hasOwn(value, name)) continue;
        const [wanted, given] = [name, present].map((one) => JSON.stringify(one));
        const message = `must have the key ${wanted} where it has ${given}`;
        valid = fail(run, 'dependentRequired', message);
      }
    }
    return valid;
  };
}

function propertyCount({ minProperties = 0, maxProperties }: JsonRecord): Check {
  return (value, run) => {
    if (!isRecord(value)) return true;
    const { length } = Object.keys(value);
    if (length < Number(minProperties)) {
      const message = `must NOT have fewer than ${minProperties} properties`;
      return fail(run, 'minProperties', message);
    }
    return maxProperties === undefined || length <= Number(maxProperties)
      ? true
      : fail(run, 'maxProperties', `must NOT have more than ${maxProperties} properties`);
  };
}

function propertyNames(schema: JsonRecord, compile: (inside: unknown) => Check): Check {
  const check = compile(schema.propertyNames);
  return (value, run) => {
    if (!isRecord(value)) return true;
    let valid = true;
    for (const name of Object.keys(value)) {
      run.tick();
      if (accepts(check, name, run)) continue;
      const message = `must not have the key ${JSON.stringify(name)}: the name is not valid`;
      valid = fail(run, 'propertyNames', message);
      if (isDone(run)) break;
    }
    return valid;
  };
}

function members(schema: JsonRecord, compile: (inside: unknown) => Check): Check {
  const named = new Map(
    Object.entries(Object(schema.properties)).map(([name, inside]) => [name, compile(inside)]),
  );
  const patterns = patternChecks(schema, compile);
  const additional = ownValue(schema, 'additionalProperties') ?? true;
  const others = additional === true || additional === false ? null : compile(additional);
  return (value, run) => {
    if (!isRecord(value)) return true;
    const names = Object.keys(value);
    let valid = additional !== false || hasNoOther(names, { named, patterns }, run);
    for (const name of names) {
      if (!valid && isDone(run)) break;
      run.tick();
      const own = named.get(name);
      const matching = patterns.filter(({ pattern }) => pattern.test(name));
      const checks = [...(own ? [own] : []), ...matching.map(({ check }) => check)];
      if (checks.length === 0 && others) checks.push(others);
      for (const check of checks) if (!checkAt(name, check, value[name], run)) valid = false;
    }
    return valid;
  };
}

/** True when the schema has a schema for every name. */
function hasNoOther(
  names: readonly string[],
  { named, patterns }: { named: ReadonlyMap<string, Check>; patterns: readonly NamePattern[] },
  run: Run,
): boolean {
  let valid = true;
  for (const name of names) {
    run.tick();
    if (named.has(name) || patterns.some(({ pattern }) => pattern.test(name))) continue;
    const message = `must not have the key ${JSON.stringify(name)}`;
    valid = fail(run, 'additionalProperties', message);
    if (isDone(run)) break;
  }
  return valid;
}

interface NamePattern {
  pattern: RegExp;
  check: Check;
}

/** The patterns of names that a schema has schemas for. */
export function patternChecks(
  schema: JsonRecord,
  compile: (inside: unknown) => Check,
): NamePattern[] {
  return Object.entries(Object(ownValue(schema, 'patternProperties'))).map(([name, inside]) => ({
    pattern: new RegExp(name, 'u'),
    check: compile(inside),
  }));
}

function itemCount({ minItems = 0, maxItems }: JsonRecord): Check {
  return (value, run) => {
    if (!Array.isArray(value)) return true;
    if (value.length < Number(minItems)) {
      return fail(run, 'minItems', `must NOT have fewer than ${minItems} items`);
    }
    return maxItems === undefined || value.length <= Number(maxItems)
      ? true
      : fail(run, 'maxItems', `must NOT have more than ${maxItems} items`);
  };
}

function entries(schema: JsonRecord, compile: (inside: unknown) => Check): Check {
  const first = [ownValue(schema, 'prefixItems') ?? []].flat().map(compile);
  const items = ownValue(schema, 'items') ?? true;
  const rest = items === true ? null : compile(items);
  return (value, run) => {
    if (!Array.isArray(value)) return true;
    if (items === false && value.length > first.length) {
      return fail(run, 'items', `must NOT have more than ${first.length} items`);
    }
    let valid = true;
    for (const [at, entry] of value.entries()) {
      run.tick();
      const check = first[at] ?? rest;
      if (!check) break;
      if (checkAt(at, check, entry, run)) continue;
      valid = false;
      if (isDone(run)) break;
    }
    return valid;
  };
}

function contains(schema: JsonRecord, compile: (inside: unknown) => Check): Check {
  const check = compile(schema.contains);
  const least = Number(ownValue(schema, 'minContains') ?? 1);
  const most = Number(ownValue(schema, 'maxContains') ?? Number.POSITIVE_INFINITY);
  const many = `at least ${least}${Number.isFinite(most) ? ` and at most ${most}` : ''}`;
  return (value, run) => {
    if (!Array.isArray(value)) return true;
    const count = value.filter((entry) => accepts(check, entry, run)).length;
    return count >= least && count <= most
      ? true
      : fail(run, 'contains', `must contain ${many} valid items`);
  };
}

function uniqueItems({ uniqueItems: wanted }: JsonRecord): Check {
  return (value, run) => {
    if (wanted !== true || !Array.isArray(value)) return true;
    const seen = new Map<unknown, number>();
    for (const [at, entry] of value.entries()) {
      run.tick();
      const form = typeof entry === 'object' && entry !== null ? canonical(entry) : entry;
      // A text is not the object whose form it is.
      const key = form === entry ? form : `\0${String(form)}`;
      const first = seen.get(key);
      if (first !== undefined) {
        const message = `must NOT have duplicate items (items ## ${first} and ${at} are identical)`;
        return fail(run, 'uniqueItems', message);
      }
      seen.set(key, at);
    }
    return true;
  };
}
