import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { displayWidth } from '../../src/cli/columns.ts';
import { readOptions } from '../../src/demo/options.ts';
import type { OutputRecord } from '../../src/demo/score.ts';
import { answerTable } from '../../src/demo/table.ts';

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

function answer(content: string): OutputRecord {
  return {
    index: 0,
    status: 'succeeded',
    content,
    metadata: { category: 'balance_not_updated_after_cheque_or_cash_deposit' },
    output: { label: 'card_arrival', confidence: 0.5 },
  };
}
