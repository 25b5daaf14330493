/** Holds the object that a model wrote to an answer schema. */
import { InvalidOutput } from '../../core/errors.ts';
import { isRecord, type JsonRecord } from '../../core/json.ts';
import type { JsonSchema } from '../../model/request.ts';
import type { FoundJson } from '../answer-json.ts';
import type { CheckTime } from '../check-time.ts';
import { withExactNumbers } from '../exact-numbers.ts';
import { createAdjust, type Written } from './adjust.ts';
import { rootPlace } from './place.ts';
import { createRestore } from './restore.ts';
import { createValidator } from './validator.ts';

export interface JudgeOptions {
  /** Time for the checks of all answers of one request or one batch. */
  time: CheckTime;
  /** An integer that JavaScript cannot hold is good, with all its digits. */
  longIntegers?: boolean;
  /** Nothing of its form is set right. */
  exactly?: boolean;
}

type Found = Pick<FoundJson, 'value' | 'exact'>;

/** The schema that an answer is held to, and what of it is not the user's own. */
export interface Judged {
  schema: JsonSchema;
  /** The objects in it that were closed for the user; none when absent. */
  closed?: ReadonlySet<JsonSchema>;
  /** A second schema that the answer is held to. */
  open?: JsonSchema | null;
}

/**
 * Makes a function that reads an answer under a schema that `checkSchema` accepted. A valid answer
 * stays as it is; an invalid one is adjusted in its form. Throws InvalidOutput, or ItemFailure for
 * an integer that JavaScript cannot hold.
 */
export function createJudge({
  schema,
  closed = new Set(),
  open = null,
}: Judged): (found: Found, options: JudgeOptions) => JsonRecord {
  const validator = createValidator(schema);
  const openValidator = open ? createValidator(open) : null;
  const place = rootPlace(schema);

  function judge(found: Found, { time, longIntegers, exactly }: JudgeOptions): JsonRecord {
    return time.limit((tick) => {
      const { accepts, validate } = validator.start(tick);
      const restore = createRestore(schema, accepts);

      function check({ value, exact }: Written): JsonRecord {
        const restored = restore(value, schema);
        validate(restored);
        openValidator?.start(tick).validate(restored);
        const numbers = isRecord(exact) ? exact : null;
        // An object, as the schema says: checkSchema saw to that.
        return withExactNumbers(restored as JsonRecord, numbers, longIntegers ? null : place);
      }

      try {
        return check(found);
      } catch (error) {
        if (!(error instanceof InvalidOutput) || exactly) throw error;
        return check(createAdjust({ root: schema, closed, accepts, restore })(found));
      }
    }, validator);
  }

  return judge;
}
