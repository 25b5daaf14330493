/** Lines of the demo's report. */
import { styleText } from 'node:util';

/** Columns of the labels at the left, with the space around them. */
const labelColumns = 14;

/** A line, or several, on standard output. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A label in a column of its own, and what it is about. */
export function entry(label: string, text: string): string {
  return `  ${styleText('dim', label.padEnd(labelColumns - 2))}${text}`;
}

/** The parts after one another, on a new line where the columns end. */
export function list(label: string, parts: readonly string[], columns: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && labelColumns + last.length + part.length + 3 < columns) {
      lines[lines.length - 1] = `${last}, ${part}`;
    } else lines.push(part);
  }
  return lines.map((line, at) => entry(at === 0 ? label : '', line));
}
