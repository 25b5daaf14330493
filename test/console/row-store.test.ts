/** Which rows of a list are asked for, and which are kept. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createRowStore,
  type PageAnswer,
  type PageAsk,
} from '../../src/console/pages/batch/results/row-store.ts';

interface Row {
  index: number;
  text: string;
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

interface ServerOptions {
  total: number;
  matches?: (index: number) => boolean;
}

/** A list at a server: what it was asked, and how many requests were under way at once. */
function createServer({ total, matches = () => true }: ServerOptions) {
  const asked: PageAsk[] = [];
  let underWay = 0;
  let mostUnderWay = 0;
  let text = 'first';
  return {
    asked,
    most: () => mostUnderWay,
    change: (to: string) => {
      text = to;
    },
    async ask({ from, after, first }: PageAsk): Promise<PageAnswer<Row>> {
      asked.push({ from, after, first });
      underWay += 1;
      mostUnderWay = Math.max(mostUnderWay, underWay);
      await new Promise((resolve) => setTimeout(resolve, 5));
      underWay -= 1;
      const begin = from ?? (after === null ? 0 : Number(after) + 1);
      const found = Array.from({ length: total }, (_, index) => ({ index, text }))
        .slice(begin)
        .filter(({ index }) => matches(index));
      const rows = found.slice(0, first);
      return {
        rows,
        endCursor: rows.length > 0 ? String(rows.at(-1)?.index) : null,
        more: found.length > first,
        searchedTo: null,
      };
    },
  };
}

/** Until nothing is under way any more. */
async function settle() {
  await vi.advanceTimersByTimeAsync(1_000);
}

describe('a list whose rows have places', () => {
  it('reads what is in sight first, one page at a time, then two pages ahead', async () => {
    const server = createServer({ total: 100_000 });
    const store = createRowStore({ ask: server.ask, places: 100_000 });
    store.show(50_000, 50_015);
    await settle();
    expect(store.at(50_007)?.index).toBe(50_007);
    expect(server.asked.map(({ from }) => from)).toEqual([50_000, 50_200, 50_400]);
    expect(server.most()).toBe(1);
  });

  it('leaves out what was in sight only while another page was under way', async () => {
    const server = createServer({ total: 100_000 });
    const store = createRowStore({ ask: server.ask, places: 100_000 });
    for (const first of [0, 10_000, 20_000, 90_000]) store.show(first, first + 15);
    await settle();
    expect(server.asked.map(({ from }) => from)).toEqual([0, 90_000, 90_200, 90_400]);
  });

  it('has the next page before a list that is scrolled row by row comes to it', async () => {
    const server = createServer({ total: 100_000 });
    const store = createRowStore({ ask: server.ask, places: 100_000 });
    const missed: number[] = [];
    for (let first = 0; first < 2_000; first += 3) {
      store.show(first, first + 15);
      // Less than the rest after which further pages are read: the list never rests.
      await vi.advanceTimersByTimeAsync(10);
      if (!store.at(first + 15)) missed.push(first);
    }
    expect(missed).toEqual([]);
  });

  it('keeps 30 pages', async () => {
    const server = createServer({ total: 100_000 });
    const store = createRowStore({ ask: server.ask, places: 100_000 });
    for (let first = 0; first < 20_000; first += 200) {
      store.show(first, first + 15);
      await settle();
    }
    const kept = Array.from({ length: 500 }, (_, page) => store.at(page * 200)).filter(Boolean);
    expect(kept).toHaveLength(30);
    expect(store.at(0)).toBeUndefined();
  });

  it('reads rows again where some of a page may have changed', async () => {
    const server = createServer({ total: 1_000 });
    const store = createRowStore({ ask: server.ask, places: 1_000 });
    store.show(0, 15);
    await settle();
    server.change('second');
    store.refresh(({ index }) => index === 3);
    await settle();
    expect(store.at(0)?.text).toBe('second');
    expect(store.at(200)?.text).toBe('first');
  });
});

describe('a list with a filter', () => {
  it('grows as it is scrolled, each page behind the one before', async () => {
    const server = createServer({ total: 10_000, matches: (index) => index % 10 === 0 });
    const store = createRowStore({ ask: server.ask, places: null });
    store.show(0, 15);
    await settle();
    expect(store.state()).toMatchObject({ rows: 600, complete: false });
    store.show(590, 599);
    await settle();
    expect(store.at(600)?.index).toBe(6_000);
    expect(store.state()).toMatchObject({ rows: 1_000, complete: true });
  });

  it('goes on where the time of a search ran out, and says how far it is', async () => {
    const answers: PageAnswer<Row>[] = [
      { rows: [], endCursor: 'at 20', more: true, searchedTo: 20_000 },
      { rows: [{ index: 30_000, text: '' }], endCursor: null, more: false, searchedTo: null },
    ];
    const asked: (string | null)[] = [];
    const seen: (number | null)[] = [];
    const store = createRowStore<Row, Error>({
      places: null,
      async ask({ after }) {
        asked.push(after);
        return answers[asked.length - 1] ?? new Error('asked too often');
      },
    });
    store.watch(() => seen.push(store.state().searchedTo));
    store.show(0, 15);
    await settle();
    expect(asked).toEqual([null, 'at 20']);
    expect(seen).toContain(20_000);
    expect(store.state()).toMatchObject({ rows: 1, complete: true, searchedTo: null, error: null });
  });

  it('keeps an error until somebody tries again', async () => {
    let fails = true;
    const store = createRowStore<Row, Error>({
      places: null,
      async ask() {
        if (fails) return new Error('away');
        return { rows: [], endCursor: null, more: false, searchedTo: null };
      },
    });
    store.show(0, 15);
    await settle();
    expect(store.state().error?.message).toBe('away');
    fails = false;
    store.again();
    await settle();
    expect(store.state()).toMatchObject({ error: null, read: true, complete: true });
  });
});
