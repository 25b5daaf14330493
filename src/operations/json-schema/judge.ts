/** Holds the object that a model wrote to an answer schema. */
import { InvalidOutput } from '../../errors.ts';
import type { JsonSchema } from '../../model/model.ts';
import type { JsonObject } from '../answer.ts';
import type { FoundJson } from '../answer-json.ts';
import type { CheckTime } from '../check-time.ts';
import { withExactNumbers } from '../exact-numbers.ts';
import { rootPlace } from './place.ts';
import { restoreAbsent } from './restore.ts';
import { textWhereWanted } from './text-where-wanted.ts';
import { createValidator, type Validator } from './validator.ts';

export interface JudgeOptions {
  /** What the checks of all answers of whoever asks may take. */
  time: CheckTime;
  /** An integer that JavaScript cannot hold is good, with all its digits. */
  longIntegers?: boolean;
  /** Nothing of its form is set right. */
  exactly?: boolean;
}

type Written = Pick<FoundJson, 'value' | 'exact'>;

/**
 * What an answer comes to under the schema, which `checkSchema` found no fault with: as it is; where that is not valid, with numbers as texts where text
 * alone is wanted. `open` is a second schema's. Throws InvalidOutput, and ItemFailure for an integer that JavaScript cannot hold.
 */
export function createJudge(
  schema: JsonSchema,
  open: Validator | null = null,
): (written: Written, options: JudgeOptions) => JsonObject {
  const validator = createValidator(schema);
  const place = rootPlace(schema);

  function check(written: JsonObject, tick: () => void): JsonObject {
    const checking = validator.start(tick);
    const value = restoreAbsent(schema, written, checking.accepts);
    checking.validate(value);
    open?.start(tick).validate(value);
    return value as JsonObject; // as the schema says: checkSchema saw to that
  }

  function judge(
    { value, exact }: Written,
    { tick, exactly }: { tick: () => void; exactly: boolean },
  ): JsonObject {
    try {
      return check(value, tick);
    } catch (error) {
      if (!(error instanceof InvalidOutput) || exactly) throw error;
      const mended = textWhereWanted(value, exact, place);
      if (mended === value) throw error;
      return check(mended, tick);
    }
  }

  return (written, { time, longIntegers = false, exactly = false }) =>
    time.limit(
      (tick) =>
        withExactNumbers(
          judge(written, { tick, exactly }),
          written.exact,
          longIntegers ? null : place,
        ),
      validator,
    );
}
