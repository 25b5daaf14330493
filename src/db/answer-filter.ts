/** Which answers a list or an output has: those with some labels, or as sure as that. */
import { confidenceText } from './confidence.ts';
import { CopySql, copySql, copyText } from './driver/copy.ts';
import { outputAsJson } from './output-json.ts';

export interface AnswerFilter {
  /** Only answers with one of these; none for an empty list. `member` of the output has it. */
  labels?: { member: string; isList: boolean; wanted: readonly string[] };
  /** Only answers with a confidence: of `from` or more, and below `below`. 0 to 1. */
  confidence?: { from: number | null; below: number | null };
  /** No answer: what is asked for is in no answer of the operation. */
  none?: boolean;
}

/** More patterns than this take longer than reading all JSON. */
const maxPatterns = 8;

/** The conditions on a row `r` of `results`, the same in statements and in COPY. */
export function answerConditions({ labels, confidence, none }: AnswerFilter): CopySql {
  const conditions = [
    copySql`r.status = 'SUCCEEDED'`,
    ...(none ? [copySql`false`] : []),
    ...(labels ? labelConditions(labels) : []),
    ...(confidence ? confidenceConditions(confidence) : []),
  ];
  return conditions.reduce((all, next) => copySql`${all} and ${next}`);
}

function labelConditions({
  member,
  isList,
  wanted,
}: NonNullable<AnswerFilter['labels']>): CopySql[] {
  if (wanted.length === 0) return [copySql`false`];
  const output = new CopySql(outputAsJson);
  const name = copyText(member);
  const labels = copySql`array[${listed(wanted)}]`;
  const isWanted = isList
    ? copySql`exists (
        select from (select ${output} -> ${name} as list) o, json_array_elements_text(
          case when json_typeof(o.list) = 'array' then o.list end) as l(label)
        where l.label = any(${labels}))`
    : copySql`${output} ->> ${name} = any(${labels})`;
  // What does not have the text need not be parsed: a third of the time for a label that is rare.
  const patterns = wanted.map((label) => `%${escapedPattern(JSON.stringify(label))}%`);
  return wanted.length > maxPatterns
    ? [isWanted]
    : [copySql`r.output like any(array[${listed(patterns)}])`, isWanted];
}

function listed(texts: readonly string[]): CopySql {
  return texts.map(copyText).reduce((all, next) => copySql`${all}, ${next}`);
}

function confidenceConditions({ from, below }: NonNullable<AnswerFilter['confidence']>): CopySql[] {
  const confidence = new CopySql(confidenceText);
  return [
    copySql`${confidence} is not null`,
    ...(from === null ? [] : [copySql`${confidence} >= ${real(from)}`]),
    ...(below === null ? [] : [copySql`${confidence} < ${real(below)}`]),
  ];
}

/** As a real, like the column: 0.95 as a real is less than 0.95 as a double. */
function real(confidence: number): CopySql {
  return copySql`${copyText(String(confidence))}::real`;
}

/** A text as a pattern of LIKE that has it as it stands. */
export function escapedPattern(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}
