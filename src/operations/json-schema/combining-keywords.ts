/** The keywords of JSON Schema that hold one value to several schemas. */
import { isRecord, type JsonRecord } from '../../core/json.ts';
import { ownValue } from '../answer.ts';
import type { SchemaKeyword } from './member-keywords.ts';
import { accepts, type Check, type Fault, fail, isDone, mustBe, type Run } from './run.ts';

/** Deeper alternatives are not explained. */
const maxExplained = 3;

export const combiningKeywords: readonly { of: string; check: SchemaKeyword }[] = [
  { of: 'allOf', check: (schema, compile) => every(checksOf(schema.allOf, compile)) },
  { of: 'anyOf', check: (schema, compile) => some('anyOf', checksOf(schema.anyOf, compile)) },
  { of: 'oneOf', check: oneOf },
  { of: 'not', check: not },
  { of: 'if', check: conditional },
  { of: 'dependentSchemas', check: dependentSchemas },
];

function checksOf(schemas: unknown, compile: (inside: unknown) => Check): Check[] {
  return [schemas].flat().map(compile);
}

/** One check that is all of these. */
export function every(checks: readonly Check[]): Check {
  return (value, run) => {
    let valid = true;
    for (const check of checks) {
      if (check(value, run)) continue;
      valid = false;
      if (isDone(run)) break;
    }
    return valid;
  };
}

function some(keyword: string, branches: readonly Check[]): Check {
  return (value, run) =>
    branches.some((branch) => accepts(branch, value, run)) ||
    explain(keyword, branches, value, run);
}

function oneOf(schema: JsonRecord, compile: (inside: unknown) => Check): Check {
  const branches = checksOf(schema.oneOf, compile);
  return (value, run) => {
    const { length } = branches.filter((branch) => accepts(branch, value, run));
    if (length === 1) return true;
    return length === 0
      ? explain('oneOf', branches, value, run)
      : fail(run, 'oneOf', 'must match exactly one schema in oneOf');
  };
}

function not(schema: JsonRecord, compile: (inside: unknown) => Check): Check {
  const check = compile(schema.not);
  return (value, run) => !accepts(check, value, run) || fail(run, 'not', 'must NOT be valid');
}

function conditional(schema: JsonRecord, compile: (inside: unknown) => Check): Check {
  const condition = compile(schema.if);
  const [then, otherwise] = ['then', 'else'].map((name) => compile(ownValue(schema, name) ?? true));
  return (value, run) => (accepts(condition, value, run) ? then : otherwise)?.(value, run) ?? true;
}

function dependentSchemas(schema: JsonRecord, compile: (inside: unknown) => Check): Check {
  const dependents = Object.entries(Object(schema.dependentSchemas)).map(
    ([name, inside]) => [name, compile(inside)] as const,
  );
  return (value, run) => {
    if (!isRecord(value)) return true;
    const present = dependents.filter(([name]) => Object.hasOwn(value, name));
    return every(present.map(([, check]) => check))(value, run);
  };
}

/**
 * Adds why no alternative accepts a value: the faults of the only one that was meant, by the type
 * and the constants that it has; else what all of them allow, once.
 */
function explain(keyword: string, branches: readonly Check[], value: unknown, run: Run): false {
  const unexplained = `must match a schema in ${keyword}`;
  if (isDone(run)) return false;
  if (run.alternatives === maxExplained) return fail(run, keyword, unexplained);
  const all = branches.map((branch) => faultsOf(branch, value, run));
  const here = run.path.map((segment) => `/${segment}`).join('');
  const reached = all.filter((faults) => !faults.some((fault) => isOther(fault, here)));
  const meant = reached.filter(
    (faults) => !faults.some((fault) => fault.keyword === 'const' || fault.keyword === 'enum'),
  );
  const [only] = meant.length === 1 ? meant : reached.length === 1 ? reached : [];
  if (only && only.length > 0) {
    for (const fault of only) if (!isDone(run)) run.faults.push(fault);
    return false;
  }
  const allowed = all.flatMap(
    (faults) => faults.find((fault) => isOther(fault, here))?.allowed ?? [],
  );
  return reached.length === 0 && allowed.length > 0
    ? fail(run, keyword, mustBe([...new Set(allowed)]), allowed)
    : fail(run, keyword, unexplained);
}

/** True when the fault says that the value itself is of another kind than the alternative. */
function isOther({ path, keyword, allowed }: Fault, here: string): boolean {
  return path === here && allowed !== undefined && keyword !== 'required';
}

function faultsOf(check: Check, value: unknown, run: Run): Fault[] {
  const { faults } = run;
  run.faults = [];
  run.alternatives += 1;
  check(value, run);
  run.alternatives -= 1;
  const found = run.faults;
  run.faults = faults;
  return found;
}
