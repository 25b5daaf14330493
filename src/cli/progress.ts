/** Progress on standard error: a line redrawn in place on a terminal, else a line at times. */
import type { WriteStream } from 'node:tty';
import type { BatchState } from '../client/index.ts';
import { count, displayWidth, dollars, fit, plain } from './columns.ts';
import { type Environment, type Paint, painter } from './shell.ts';

export interface Progress {
  show(batch: BatchState): void;
  /** A sentence of its own, above the line. */
  tell(sentence: string): void;
  /** Leaves the last state standing, and the cursor at the beginning of a line. */
  end(): void;
}

const redrawMs = 100;
const lineEveryMs = 10_000;
const barColumns = 14;
/** Eighths of a column, from one on. */
const eighths = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];

export function createProgress(
  out: Pick<WriteStream, 'write' | 'isTTY' | 'columns'>,
  { env, isQuiet, now = Date.now }: { env: Environment; isQuiet: boolean; now?: () => number },
): Progress {
  const paint = painter(out, env);
  let batch: BatchState | null = null;
  let drawn: string | null = null;
  let timer: NodeJS.Timeout | null = null;

  function draw(): void {
    if (!batch) return;
    // The last column stays free: some terminals wrap as soon as it is written to.
    const columns = (out.columns || 80) - 1;
    const text = progressLine(batch, { now: now(), columns, paint });
    if (text === drawn) return;
    // One write that overwrites, instead of clearing first: nothing flickers.
    out.write(`${drawn === null ? '' : '\r'}${text}\x1b[K`);
    drawn = text;
  }

  function line(): void {
    const columns = Number.POSITIVE_INFINITY;
    if (batch) out.write(`${progressLine(batch, { now: now(), columns, paint })}\n`);
  }

  return {
    show(next) {
      batch = next;
      if (isQuiet) return;
      timer ??= out.isTTY ? setInterval(draw, redrawMs) : setInterval(line, lineEveryMs);
    },
    tell(sentence) {
      if (isQuiet) return;
      if (drawn !== null) out.write('\r\x1b[K');
      drawn = null;
      out.write(`${plain(sentence)}\n`);
    },
    end() {
      if (timer) clearInterval(timer);
      timer = null;
      if (isQuiet || !out.isTTY || !batch) return;
      draw();
      batch = null;
      drawn = null;
      out.write('\n');
    },
  };
}

/** Share, bar, rows, rate, cost, time left, failures; the last ones are left out where need be. */
export function progressLine(
  batch: BatchState,
  { now, columns, paint }: { now: number; columns: number; paint: Paint },
): string {
  const { counts, progress, itemsPerSecond, estimatedCompletionAt, usage, waiting, resumesAt } =
    batch;
  const isPlain = columns === Number.POSITIVE_INFINITY;
  const done = Math.round(progress * counts.total);
  const share = `${String(Math.floor(progress * 100)).padStart(isPlain ? 1 : 3)} %`;
  const left = estimatedCompletionAt && timeLeft(estimatedCompletionAt.getTime() - now);
  const parts = [
    isPlain ? share : `${share}  ${bar(progress)}`,
    `${count(done).padStart(isPlain ? 1 : count(counts.total).length)} of ${count(counts.total)}`,
    ...(itemsPerSecond === null ? [] : [`${count(itemsPerSecond)}/s`]),
    ...(usage.costUsd ? [dollars(usage.costUsd)] : []),
    ...(left ? [left] : []),
    ...(counts.failed > 0 ? [`${count(counts.failed)} failed`] : []),
    ...(waiting ? [`waits: ${waiting.reason}`] : []),
    ...(resumesAt ? [`waits: paused until ${resumesAt.toISOString()}`] : []),
  ];
  const kept = leading(parts, columns);
  return kept
    .map((part) => {
      if (part.endsWith(' failed')) return paint('red', part);
      return part.startsWith('waits: ') ? paint('yellow', part) : part;
    })
    .join('   ');
}

/** 40 s left, 6 min left, 2 h 5 min left */
export function timeLeft(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 90) return `${seconds} s left`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min left`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}

function bar(progress: number): string {
  const filled = Math.floor(progress * barColumns * 8);
  const part = eighths[(filled % 8) - 1] ?? '';
  return `${'█'.repeat(Math.floor(filled / 8))}${part}`.padEnd(barColumns);
}

/** The parts from the left that fit; always the first part, cut where needed. */
function leading(parts: readonly string[], columns: number): string[] {
  let kept = parts.length;
  const width = () => displayWidth(parts.slice(0, kept).join('   '));
  while (kept > 1 && width() > columns) kept -= 1;
  const [first = ''] = parts;
  return kept === 1 && displayWidth(first) > columns ? [fit(first, columns)] : parts.slice(0, kept);
}
