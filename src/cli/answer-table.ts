/** Answers in columns of a terminal. */
import { displayWidth, fit } from './columns.ts';
import type { Paint } from './shell.ts';

export interface AnswerRow {
  id: string;
  text: string;
  /** Null where there is no answer. */
  answer: unknown;
  /** Words that are shown instead of an answer. */
  problem: string;
}

const gap = '  ';
const maxIdColumns = 20;
/** Share of all columns, for the ids at most. */
const idShare = 0.3;
/** Share of the room, for the answers at most; the rest is the text's. */
const answerShare = 0.6;

/** A head and a line for each row, all within `columns`. */
export function answerTable(
  rows: readonly AnswerRow[],
  { columns, paint }: { columns: number; paint: Paint },
): string[] {
  const shown = rows.map(({ id, text, answer, problem }) => ({
    id,
    text,
    answer: answer === null ? problem : answerText(answer),
    isProblem: answer === null,
  }));
  const longest = (texts: readonly string[]) => Math.max(4, ...texts.map(displayWidth));
  const ids = longest(shown.map(({ id }) => id));
  const idColumns = Math.min(ids, maxIdColumns, Math.floor(columns * idShare));
  const room = Math.max(8, columns - 1 - idColumns - 2 * gap.length);
  const answers = longest(['answer', ...shown.map(({ answer }) => answer)]);
  const answerColumns = Math.min(answers, Math.max(6, Math.floor(room * answerShare)));
  const texts = longest(shown.map(({ text }) => text.replace(/\s+/g, ' ')));
  const textColumns = Math.max(4, Math.min(texts, room - answerColumns));

  const line = (id: string, text: string, answer: string) =>
    [fit(id, idColumns), fit(text, textColumns), fit(answer, answerColumns)].join(gap).trimEnd();
  return [
    paint('dim', line('id', 'text', 'answer')),
    ...shown.map(({ id, text, answer, isProblem }) => {
      const whole = line(id, text, answer);
      return isProblem ? paint('red', whole) : whole;
    }),
  ];
}

/** The only value of an answer stands for it; else its JSON. */
function answerText(answer: unknown): string {
  if (typeof answer === 'string') return answer;
  if (typeof answer !== 'object' || answer === null) return JSON.stringify(answer);
  const { confidence, confidenceMethod: _method, ...rest } = answer as Record<string, unknown>;
  const values = Object.values(rest);
  const [only] = values;
  const text =
    values.length === 1 && (typeof only === 'string' || only === null)
      ? String(only ?? '-')
      : values.length === 1 && Array.isArray(only)
        ? only.join(', ')
        : JSON.stringify(rest);
  return typeof confidence === 'number' ? `${text} (${confidence.toFixed(2)})` : text;
}
