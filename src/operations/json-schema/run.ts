/** State of the check of one value: place, faults, and time left. */

/** A breach of the schema. The words are for the model, behind the place that they are about. */
export interface Fault {
  /** The place in the answer, such as `/lines/0/price`; empty for the whole. */
  readonly path: string;
  readonly keyword: string;
  readonly message: string;
  /** Allowed values, if the keyword lists them. */
  readonly allowed?: readonly string[];
}

export interface Run {
  readonly path: (string | number)[];
  faults: Fault[];
  /** Above 0 only whether the value is valid counts, and not why. */
  quiet: number;
  /** Alternatives around the present one whose faults are being told. */
  alternatives: number;
  /** Called at every step. Throws when the time is up. */
  readonly tick: () => void;
  /** Results for objects and lists that were checked quietly. */
  readonly known: Map<Check, WeakMap<object, boolean>>;
}

/** True when a part of a schema accepts a value. Faults are added to the run. */
export type Check = (value: unknown, run: Run) => boolean;

/** More faults than these do not help a reader. */
const maxFaults = 50;

export function startRun(tick: () => void): Run {
  return { path: [], faults: [], quiet: 0, alternatives: 0, tick, known: new Map() };
}

/** True when more faults of an invalid value would not be kept. */
export function isDone(run: Run): boolean {
  return run.quiet > 0 || run.faults.length >= maxFaults;
}

/** Adds a fault at the present place, and says that the value is not valid. */
export function fail(
  run: Run,
  keyword: string,
  message: string,
  allowed?: readonly string[],
): false {
  if (!isDone(run)) {
    const path = run.path.map((segment) => `/${segment}`).join('');
    run.faults.push({ path, keyword, message, ...(allowed ? { allowed } : {}) });
  }
  return false;
}

/** Checks a member or an entry of the present value. */
export function checkAt(key: string | number, check: Check, value: unknown, run: Run): boolean {
  run.path.push(key);
  const valid = check(value, run);
  run.path.pop();
  return valid;
}

/**
 * True when a check accepts a value; its faults are dropped. Alternatives try one value several
 * times, nested too. Remembered results keep this polynomial.
 */
export function accepts(check: Check, value: unknown, run: Run): boolean {
  if (typeof value !== 'object' || value === null) return quietly(check, value, run);
  let known = run.known.get(check);
  if (!known) {
    known = new WeakMap();
    run.known.set(check, known);
  }
  const found = known.get(value) ?? quietly(check, value, run);
  known.set(value, found);
  return found;
}

function quietly(check: Check, value: unknown, run: Run): boolean {
  run.quiet += 1;
  const valid = check(value, run);
  run.quiet -= 1;
  return valid;
}

/** A message with more values does not help the model, and costs tokens. */
const maxListed = 100;

/** Message for a value of which only these are allowed. */
export function mustBe(allowed: readonly string[]): string {
  if (allowed.length > maxListed) {
    const some = listed(allowed.slice(0, maxListed));
    return `must be one of the ${allowed.length} values allowed, such as ${some}`;
  }
  return `must be ${allowed.length > 2 ? 'one of ' : ''}${listed(allowed)}`;
}

/** Several things of which one is meant. */
export function listed(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} or ${last}` : last;
}
