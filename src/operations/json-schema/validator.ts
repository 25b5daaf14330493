/**
 * JSON Schema (draft 2020-12) for schemas and answers that nobody vouches for. A schema is walked
 * and never turned into program text: what a check costs is counted while it runs, and preparing
 * one costs no more than reading it.
 */
import { InvalidOutput } from '../../core/errors.ts';
import { isRecord, type JsonRecord } from '../../core/json.ts';
import type { JsonSchema } from '../../model/request.ts';
import { shortList } from '../short-list.ts';
import { combiningKeywords, every } from './combining-keywords.ts';
import { memberKeywords } from './member-keywords.ts';
import { accepts, type Check, type Fault, fail, startRun } from './run.ts';
import { everyKeyword, resolveReference } from './subschemas.ts';
import { unevaluatedItems, unevaluatedProperties } from './unevaluated.ts';
import { identityKeywords, type Keyword, valueKeywords } from './value-keywords.ts';

const maxToldIssues = 5;
const maxMessageLength = 1_000;

/** The check of one answer. */
interface Checking {
  /** Throws InvalidOutput that names what breaks the schema, at most five things. */
  validate(value: unknown): void;
  /** True when a part of the schema accepts a value. */
  accepts(part: unknown, value: unknown): boolean;
}

export interface Validator {
  /** Begins the check of one answer; `tick` is called at every step of it. */
  start(tick: () => void): Checking;
  /** True when a user's regular expressions run in the validator, which `tick` does not see. */
  readonly patterns: boolean;
}

/** The validator of a schema that `checkSchema` found no fault with. */
export function createValidator(root: JsonSchema): Validator {
  const checks = new Map<unknown, Check>();

  /** Made when it first runs: a schema may hold itself. */
  function compile(schema: unknown): Check {
    if (typeof schema === 'boolean') {
      return schema ? () => true : (_value, run) => fail(run, 'false', 'must not be there');
    }
    const known = checks.get(schema);
    if (known) return known;
    let made: Check | null = null;
    const check: Check = (value, run) => {
      run.tick();
      made ??= checkOf(isRecord(schema) ? schema : {});
      return made(value, run);
    };
    checks.set(schema, check);
    return check;
  }

  function checkOf(schema: JsonRecord): Check {
    const identity = every(keywordChecks(schema, identityKeywords));
    const parts = { compile, resolve: (reference: unknown) => resolveReference(root, reference) };
    const rest = every([
      ...keywordChecks(schema, valueKeywords),
      ...memberKeywords
        .filter(({ of }) => of.some((name) => Object.hasOwn(schema, name)))
        .map(({ check }) => check(schema, compile)),
      ...(Object.hasOwn(schema, '$ref') ? [reference(schema.$ref)] : []),
      ...combiningKeywords
        .filter(({ of }) => Object.hasOwn(schema, of))
        .map(({ check }) => check(schema, compile)),
      ...(Object.hasOwn(schema, 'unevaluatedItems') ? [unevaluatedItems(schema, parts)] : []),
      ...(Object.hasOwn(schema, 'unevaluatedProperties')
        ? [unevaluatedProperties(schema, parts)]
        : []),
    ]);
    return (value, run) => identity(value, run) && rest(value, run);
  }

  function reference(given: unknown): Check {
    const target = compile(resolveReference(root, given) ?? true);
    return (value, run) =>
      run.quiet > 0 || run.known.get(target)?.get(Object(value)) === true
        ? accepts(target, value, run)
        : target(value, run);
  }

  const checkRoot = compile(root);
  const keywords = everyKeyword(root);
  return {
    patterns: keywords.has('pattern') || keywords.has('patternProperties'),
    start(tick) {
      const run = startRun(tick);
      return {
        validate(value) {
          run.faults = [];
          if (checkRoot(value, run)) return;
          const told = describeFaults(run.faults, shortMessage);
          throw new InvalidOutput(
            describeFaults(run.faults, ({ message }) => message),
            { told },
          );
        },
        accepts: (part, value) => accepts(compile(part), value, run),
      };
    },
  };
}

function keywordChecks(schema: JsonRecord, keywords: Record<string, Keyword>): Check[] {
  return Object.entries(keywords).flatMap(([name, keyword]) =>
    Object.hasOwn(schema, name) ? (keyword(schema[name]) ?? []) : [],
  );
}

function describeFaults(faults: readonly Fault[], messageOf: (fault: Fault) => string): string {
  const messages = faults.map(
    (fault) => `${fault.path.slice(1) || 'the answer'} ${messageOf(fault)}`,
  );
  const told = [...new Set(messages)].slice(0, maxToldIssues).join('; ');
  return told.length > maxMessageLength ? `${told.slice(0, maxMessageLength)}…` : told;
}

/** For people, who know what they allowed. */
function shortMessage({ message, allowed = [] }: Fault): string {
  const short = shortList(allowed);
  return short === allowed.join(', ') ? message : `must be one of ${short}`;
}
