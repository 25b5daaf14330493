import { styleText } from 'node:util';
import { displayWidth, fit } from '../cli/columns.ts';
import { agrees, type OutputRecord } from './score.ts';

const gap = '  ';
const confidenceColumns = 4;
const markColumns = 1;
/** Share of the room for each of the two labels; the rest is the question's. */
const labelShare = 0.3;
const maxQuestionColumns = 70;

/** Question, label, true category, confidence and a mark of agreement, in lines of `columns`. */
export function answerTable(records: readonly OutputRecord[], columns: number): string[] {
  const rows = records.map((one) => ({
    question: one.content,
    predicted: one.output?.label ?? one.status,
    category: one.metadata.category,
    confidence: one.output?.confidence?.toFixed(2) ?? '-',
    agreed: agrees(one),
  }));
  const longest = (texts: readonly string[]) => Math.max(...texts.map(displayWidth));
  const labels = longest(rows.flatMap(({ predicted, category }) => [predicted, category]));
  const questions = longest(rows.map(({ question }) => question));

  const room = columns - 1 - 5 * gap.length - confidenceColumns - markColumns;
  const labelColumns = Math.min(labels, Math.floor(room * labelShare));
  const questionColumns = Math.min(questions, maxQuestionColumns, room - 2 * labelColumns);

  const line = (question: string, predicted: string, category: string, confidence: string) =>
    [
      '',
      fit(question, questionColumns),
      fit(predicted, labelColumns),
      fit(category, labelColumns),
      confidence.padStart(confidenceColumns),
    ].join(gap);
  return [
    styleText('dim', line('question', 'label', 'true category', 'conf')),
    ...rows.map(({ question, predicted, category, confidence, agreed }) => {
      const mark = agreed ? styleText('green', '✓') : styleText('red', '✗');
      return `${line(question, predicted, category, confidence)}${gap}${mark}`;
    }),
  ];
}
