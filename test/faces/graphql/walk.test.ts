/** A search reads on until the page is full, the list is over, or nobody would wait longer. */
import { expect, it } from 'vitest';
import { type Piece, walk } from '../../../src/faces/graphql/walk.ts';

/** Pieces of ten numbers each up to 99, of which some are found; each takes `pieceMs`. */
function search(found: (n: number) => boolean, pieceMs = 100) {
  let nowMs = 0;
  const looked: number[] = [];
  const read = async (from: number | null, limit: number): Promise<Piece<number, number>> => {
    const first = from === null ? 0 : from + 1;
    nowMs += pieceMs;
    looked.push(first);
    const piece = Array.from({ length: 10 }, (_, at) => first + at);
    return {
      rows: piece.filter(found).slice(0, limit),
      isCut: false,
      end: first === 90 ? null : first + 9,
    };
  };
  return { looked, read, clock: { maxMs: 250, now: () => nowMs } };
}

it('ends once it has what was asked for', async () => {
  const { read, clock } = search((n) => n % 4 === 0);

  expect(await walk(3, read, clock)).toEqual({ rows: [0, 4, 8], isCut: false, end: null });
});

it('ends with a piece that has filled the page, and says how far it got', async () => {
  const { read, looked, clock } = search((n) => n % 10 === 0);

  expect(await walk(3, read, clock)).toEqual({ rows: [0, 10], isCut: false, end: 19 });
  expect(looked).toEqual([0, 10]);
});

it('ends when its time is over, and says how far it got', async () => {
  const { read, looked, clock } = search((n) => n === 25);

  expect(await walk(3, read, clock)).toEqual({ rows: [25], isCut: false, end: 29 });
  expect(looked).toEqual([0, 10, 20]);
});

it('looks at one piece however long that takes', async () => {
  const { read, clock } = search(() => false, 10_000);

  expect(await walk(3, read, clock)).toEqual({ rows: [], isCut: false, end: 9 });
});

it('has no end to tell of where the list is over', async () => {
  const { read, clock } = search((n) => n === 95, 1);

  expect(await walk(3, read, clock)).toEqual({ rows: [95], isCut: false, end: null });
});
