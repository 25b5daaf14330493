import type { BatchRecord } from '../../db/batches.ts';
import { countedAnswers } from './counted-answers.ts';
import type { Summary } from './summary.ts';
import { confidences, labelsOf } from './tallies.ts';
import { timeline } from './timeline.ts';

/** Everything that is counted of the answers of a batch when somebody asks. */
export function allSummaries(
  batch: Pick<BatchRecord, 'operation' | 'options'>,
): readonly Summary<unknown>[] {
  const { label, fields, hasConfidence } = countedAnswers(batch);
  return [
    ...(label ? [labelsOf(label)] : []),
    ...fields.map((member) => labelsOf({ member, isList: false })),
    ...(hasConfidence ? [confidences] : []),
    timeline,
  ] as readonly Summary<unknown>[];
}
