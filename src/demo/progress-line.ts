import type { WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import type { BatchState } from './batch.ts';
import { clock, count, fit } from './columns.ts';

/** The live view of a batch: two lines redrawn in place on a terminal, else a line at times. */
export interface ProgressLine {
  show(batch: BatchState): void;
  /** Leaves the last state standing. */
  end(): void;
}

const maxBarColumns = 60;
const minBarColumns = 10;
const redrawMs = 250;
/** Without a terminal at most so often, and at least so often; a log needs no more. */
const lineEveryMs = 2_000;
const lineAtLeastEveryMs = 10_000;
/** Before that, silence is usual; after it, a provider that cannot be reached is more likely. */
const patienceMs = 10_000;

export function createProgressLine(
  out: Pick<WriteStream, 'write' | 'isTTY' | 'columns'>,
  now: () => number = Date.now,
): ProgressLine {
  const startedAt = now();
  let batch: BatchState | null = null;
  let drawn: string | null = null;
  let lineAt = Number.NEGATIVE_INFINITY;
  // Between events the clocks go on.
  const timer = out.isTTY ? setInterval(draw, redrawMs) : setInterval(line, lineAtLeastEveryMs);

  function draw(): void {
    if (!batch) return;
    const lines = progressLines(batch, {
      elapsedMs: now() - startedAt,
      now: now(),
      columns: out.columns || 80,
    });
    const text = lines.map((line) => `${line}\x1b[K`).join('\n');
    if (text === drawn) return;
    // One write that overwrites, instead of clearing first: nothing flickers.
    out.write(drawn === null ? text : `\r\x1b[1A${text}`);
    drawn = text;
  }

  function line(): void {
    if (!batch) return;
    lineAt = now();
    const lines = progressLines(batch, {
      elapsedMs: lineAt - startedAt,
      now: lineAt,
      columns: Number.POSITIVE_INFINITY,
    });
    out.write(`${lines.map((part) => part.trim()).join('  ')}\n`);
  }

  return {
    show(next) {
      batch = next;
      if (out.isTTY) draw();
      else if (now() - lineAt >= lineEveryMs) line();
    },
    end() {
      clearInterval(timer);
      if (out.isTTY) {
        draw();
        if (drawn !== null) out.write('\n');
      } else line();
    },
  };
}

/**
 * Two lines within the columns: bar, share, count and rate; then counts, elapsed time and ETA. The
 * last parts are left out where they do not fit. Infinite columns: no bar. Numbers keep their
 * places while they grow.
 */
export function progressLines(
  { counts, progress, itemsPerSecond, estimatedCompletionAt, model }: BatchState,
  { elapsedMs, now, columns }: { elapsedMs: number; now: number; columns: number },
): [string, string] {
  const digits = count(counts.total).length;
  const number = (value: number) => count(value).padStart(digits);
  const done = Math.round(progress * counts.total);
  const rate = itemsPerSecond === null ? '-' : count(itemsPerSecond);
  const eta = estimatedCompletionAt && clock(Date.parse(estimatedCompletionAt) - now);

  // The last column stays free: some terminals wrap as soon as it is written to.
  const room = columns - 1;
  const share = `${String(Math.floor(progress * 100)).padStart(3)} %`;
  const figures = [share, `${number(done)} of ${count(counts.total)}`, `${rate.padStart(5)}/s`];
  const first = leading(figures, room - minBarColumns - 4);
  const barColumns = Math.max(0, Math.min(maxBarColumns, room - width(first) - 4));
  const waits = done === 0 && elapsedMs >= patienceMs;
  const parts = waits
    ? [`no answer from ${model} yet: is it reachable?`, `${clock(elapsedMs)} elapsed`]
    : [
        `${number(counts.succeeded)} succeeded`,
        `${number(counts.failed)} failed`,
        `${number(counts.processing)} processing`,
        `${clock(elapsedMs)} elapsed`,
        ...(eta ? [`ETA ${eta}`] : []),
      ];
  const second = leading(parts, room - 2).map((part, at) => {
    if (waits) return styleText('yellow', part);
    if (at === 0) return styleText('green', part);
    return at === 1 && counts.failed > 0 ? styleText('red', part) : part;
  });
  return [
    `  ${columns === Number.POSITIVE_INFINITY ? '' : `${bar(progress, barColumns)}  `}${first.join('   ')}`,
    `  ${second.join('   ')}`,
  ];
}

function bar(progress: number, columns: number): string {
  const filled = Math.floor(progress * columns);
  return styleText('green', '█'.repeat(filled)) + styleText('dim', '░'.repeat(columns - filled));
}

/** The parts from the left that fit in the room; always the first part, cut where needed. */
function leading(parts: readonly string[], room: number): string[] {
  let kept = parts.length;
  while (kept > 1 && width(parts.slice(0, kept)) > room) kept -= 1;
  const [only = ''] = parts;
  return kept === 1 && only.length > room ? [fit(only, room)] : parts.slice(0, kept);
}

function width(parts: readonly string[]): number {
  return parts.join('   ').length;
}
