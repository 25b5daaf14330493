/**
 * A user's `pattern` may take exponential time on some text, and only running it shows that. So patterns run under a
 * clock: the tests of one answer together may take 100 ms, and after three answers that took longer no more are tried.
 */
import { createContext, Script } from 'node:vm';
import { InvalidOutput } from '../../errors.ts';

const BUDGET_MS = 100;
const MAX_OVERRUNS = 3;

export interface PatternClock {
  /** Begins a new answer. */
  start(): void;
  /** ajv's `code.regExp`; its tests throw InvalidOutput when the time is up. */
  readonly regExp: {
    (pattern: string, flags: string): { test(text: string): boolean };
    code: string;
  };
}

export function createPatternClock(): PatternClock {
  const sandbox = createContext({ pattern: /x/, text: '' });
  const script = new Script('pattern.test(text)');
  let remainingMs = BUDGET_MS;
  let overruns = 0;

  function test(pattern: RegExp, text: string): boolean {
    if (overruns >= MAX_OVERRUNS || remainingMs < 1) {
      throw new InvalidOutput('A pattern of the schema takes too long to check.');
    }
    Object.assign(sandbox, { pattern, text });
    const started = performance.now();
    try {
      return script.runInContext(sandbox, { timeout: Math.ceil(remainingMs) }) === true;
    } catch (cause) {
      overruns += 1;
      throw new InvalidOutput('A pattern of the schema takes too long to check.', { cause });
    } finally {
      remainingMs -= performance.now() - started;
    }
  }

  const compile = (source: string, flags: string) => {
    const pattern = new RegExp(source, flags);
    return { test: (text: string) => test(pattern, text), toString: () => String(pattern) };
  };
  return {
    start: () => {
      remainingMs = BUDGET_MS;
    },
    regExp: Object.assign(compile, { code: 'compilePattern' }),
  };
}
