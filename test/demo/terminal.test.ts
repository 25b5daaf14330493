import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { BatchState } from '../../src/demo/batch.ts';
import { clock, displayWidth, fit } from '../../src/demo/columns.ts';
import { readOptions } from '../../src/demo/options.ts';
import { createProgressLine, progressLines } from '../../src/demo/progress-line.ts';
import type { OutputRecord } from '../../src/demo/score.ts';
import { answerTable } from '../../src/demo/table.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const widths = [26, 40, 60, 80, 120, 300];

describe('text in columns', () => {
  it.each([
    ['plain', 'plain     '],
    ['longer than that', 'longer th…'],
    ['  two\nlines ', 'two lines '],
    ['请问我的卡在哪里', '请问我的… '],
    ['Grüße 👩‍👩‍👧 da!', 'Grüße 👩‍👩‍👧 …'],
    ['', '          '],
  ])('%j is fitted as %j', (text, fitted) => {
    expect(fit(text, 10)).toBe(fitted);
    expect(displayWidth(fitted)).toBe(10);
  });

  it('tells time as a clock does', () => {
    expect([0, 3_400, 59_600, 3_723_000, -5].map(clock)).toEqual([
      '0:00',
      '0:03',
      '1:00',
      '1:02:03',
      '0:00',
    ]);
  });
});

describe('the progress lines', () => {
  it.each(widths)('stay within %i columns', (columns) => {
    for (const done of [0, 1, 1_500, 3_080]) {
      for (const line of lines(state(done), columns)) {
        expect(displayWidth(line)).toBeLessThan(columns);
      }
    }
  });

  it('show share, counts, rate, elapsed time and ETA at 80 columns', () => {
    const [first, second] = lines(state(1_540), 80);

    expect(first).toMatch(/^ {2}█{21}░{22} {3}50 % {3}1,540 of 3,080 {5}712\/s$/);
    expect(second).toBe(
      '  1,530 succeeded      10 failed      64 processing   1:05 elapsed   ETA 0:30',
    );
  });

  it('show no 100 % before the last item', () => {
    expect(lines(state(3_079), 80)[0]).toContain(' 99 %');
  });

  it('ask whether the model can be reached when nothing comes back', () => {
    expect(lines(state(0), 80)[1]).toContain('no answer from openai/gpt-4.1-mini yet');
  });

  it('are redrawn in place on a terminal, each time in one write and only when they change', () => {
    const writes: string[] = [];
    const line = createProgressLine(terminal(writes, true), () => now);

    line.show(state(1));
    line.show(state(1));
    line.show(state(2));
    line.end();

    expect(writes).toHaveLength(3);
    expect(writes[0]?.startsWith('  ')).toBe(true);
    expect(writes[1]?.startsWith('\r\x1b[1A  ')).toBe(true);
    expect(writes[2]).toBe('\n');
  });

  it('are a plain line now and then elsewhere, the last state always', () => {
    const writes: string[] = [];
    const line = createProgressLine(terminal(writes, false), () => now);

    line.show(state(1));
    line.show(state(2));
    line.show(state(3_080));
    line.end();

    expect(writes).toHaveLength(2);
    expect(stripVTControlCharacters(writes[1] ?? '')).toMatch(/^100 % {3}3,080 of 3,080/);
  });
});

describe('the arguments', () => {
  it.each([
    [['--exits'], "Unknown option '--exits'"],
    [['--items', '0'], '--items takes a number from 1 on'],
    [['--items', '1e3'], '--items takes a number from 1 on'],
    [['more'], "Unexpected argument 'more'"],
    [['--data', ''], '--data takes a folder'],
  ])('%j are refused', (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });
});

describe('the table of answers', () => {
  it.each([60, 80, 120, 200])('stays within %i columns, every line alike', (columns) => {
    const table = answerTable([answer('a'.repeat(300)), answer('卡'.repeat(200))], columns);

    const [head = 0, ...rows] = table.map((line) => displayWidth(stripVTControlCharacters(line)));
    expect(rows).toEqual([head + 3, head + 3]);
    expect(head + 3).toBeLessThan(columns);
  });
});

function lines(batch: BatchState, columns: number): string[] {
  return progressLines(batch, { elapsedMs: 65_000, now, columns }).map(stripVTControlCharacters);
}

function state(done: number): BatchState {
  const failed = Math.min(10, done);
  return {
    id: 'batch_1',
    status: 'PROCESSING',
    model: 'openai/gpt-4.1-mini',
    error: null,
    progress: done / 3_080,
    itemsPerSecond: done === 0 ? null : 712.4,
    estimatedCompletionAt: done === 0 ? null : new Date(now + 30_000).toISOString(),
    startedAt: null,
    completedAt: null,
    counts: { total: 3_080, succeeded: done - failed, failed, processing: 64 },
    usage: { requests: 0, inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, costUsd: null },
    errorSummary: [],
  };
}

function answer(content: string): OutputRecord {
  return {
    index: 0,
    status: 'succeeded',
    content,
    metadata: { category: 'balance_not_updated_after_cheque_or_cash_deposit' },
    output: { label: 'card_arrival', confidence: 0.5 },
  };
}

function terminal(writes: string[], isTTY: boolean) {
  return { write: (text: string) => writes.push(text) > 0, isTTY, columns: 80 };
}
