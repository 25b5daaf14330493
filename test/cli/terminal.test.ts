/** What a terminal is shown: columns, the line of progress, the table of answers. */
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { answerTable } from '../../src/cli/answer-table.ts';
import { clock, displayWidth, fit } from '../../src/cli/columns.ts';
import { createProgress, progressLine, timeLeft } from '../../src/cli/progress.ts';
import type { Paint } from '../../src/cli/shell.ts';
import type { BatchState } from '../../src/client/index.ts';
import { noUsage } from '../../src/core/usage.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const plain: Paint = (_style, text) => text;

describe('text in columns', () => {
  it.each([
    ['plain', 'plain     '],
    ['longer than that', 'longer th…'],
    ['  two\nlines ', 'two lines '],
    ['请问我的卡在哪里', '请问我的… '],
    ['Grüße 👩‍👩‍👧 da!', 'Grüße 👩‍👩‍👧 …'],
    ['', '          '],
    ['a\u001b[2J\u0007b', 'a[2Jb     '],
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

  it('tells what is left in one unit, or in hours and minutes', () => {
    expect([-1, 40_000, 360_000, 7_500_000].map(timeLeft)).toEqual([
      '0 s left',
      '40 s left',
      '6 min left',
      '2 h 5 min left',
    ]);
  });
});

describe('the line of progress', () => {
  it('has share, bar, rows, rate, cost, time left and failures', () => {
    expect(progressLine(state(624_118), { now, columns: 120, paint: plain })).toBe(
      ' 62 %  ████████▋          624,118 of 1,000,000   1,042/s   $48.20   6 min left   6,814 failed',
    );
  });

  it.each([12, 26, 40, 60, 79, 120])('stays within %i columns', (columns) => {
    for (const done of [0, 1, 624_118, 1_000_000]) {
      const line = progressLine(state(done), { now, columns, paint: plain });

      expect(displayWidth(line)).toBeLessThanOrEqual(columns);
    }
  });

  it('shows no 100 % before the last row', () => {
    expect(progressLine(state(999_999), { now, columns: 80, paint: plain })).toMatch(/^ 99 %/);
  });

  it('says why a batch waits', () => {
    const waiting = { reason: 'RATE_LIMITED', since: null, until: null };

    expect(progressLine({ ...state(1), waiting }, { now, columns: 200, paint: plain })).toContain(
      'waits: RATE_LIMITED',
    );
  });

  it('ends on a terminal at the beginning of a line, drawn in place', () => {
    const writes: string[] = [];
    const progress = createProgress(terminal(writes, true), { env: {}, isQuiet: false });

    progress.show(state(1));
    progress.end();
    progress.tell('done');

    expect(writes.map(stripVTControlCharacters)).toEqual([
      expect.stringMatching(/^ {2}0 % /),
      '\n',
      'done\n',
    ]);
    expect(writes[0]?.endsWith('\u001b[K')).toBe(true);
  });

  it('is nothing where nothing is to be shown', () => {
    const writes: string[] = [];
    const progress = createProgress(terminal(writes, true), { env: {}, isQuiet: true });

    progress.tell('begins');
    progress.show(state(1));
    progress.end();

    expect(writes).toEqual([]);
  });
});

describe('the table of answers', () => {
  it.each([30, 80, 200])('stays within %i columns', (columns) => {
    const rows = [
      { id: 'i'.repeat(40), text: 'a'.repeat(300), answer: { label: 'b' }, problem: '' },
      { id: '2', text: '卡'.repeat(200), answer: null, problem: 'INVALID_OUTPUT' },
    ];

    for (const line of answerTable(rows, { columns, paint: plain })) {
      expect(displayWidth(stripVTControlCharacters(line))).toBeLessThan(columns);
    }
  });

  it.each([
    [{ label: 'praise', confidence: 0.912, confidenceMethod: 'logprobs' }, 'praise (0.91)'],
    [{ labels: ['a', 'b'], confidence: null, confidenceMethod: null }, 'a, b'],
    [{ summary: 'short' }, 'short'],
    [{ person: 'Ada', year: 1843 }, '{"person":"Ada","year":1843}'],
    ['text', 'text'],
  ])('shows %j as %s', (answer, shown) => {
    const [, line] = answerTable([{ id: '1', text: 'text', answer, problem: '' }], {
      columns: 100,
      paint: plain,
    });

    expect(line).toBe(`1     text  ${shown}`);
  });
});

function state(done: number): BatchState {
  const failed = Math.min(6_814, done);
  return {
    ...({} as BatchState),
    progress: done / 1_000_000,
    itemsPerSecond: done === 0 ? null : 1_042.4,
    estimatedCompletionAt: done === 0 ? null : new Date(now + 360_000),
    counts: {
      total: 1_000_000,
      pending: 1_000_000 - done,
      processing: 0,
      succeeded: done - failed,
      failed,
      cancelled: 0,
      expired: 0,
    },
    usage: { ...noUsage, costUsd: 48.2, cacheSavedUsd: null },
    waiting: null,
  };
}

function terminal(writes: string[], isTTY: boolean) {
  return { write: (text: string) => writes.push(text) > 0, isTTY, columns: 80 };
}
