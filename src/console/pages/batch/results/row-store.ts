/**
 * The rows of a list, in pages. One request is under way at a time, and when it is back, what is
 * asked next is what is in sight then. A list without a filter has a place for each row; one with a
 * filter grows as it is scrolled, each page beginning behind the one before.
 */

const pageRows = 200;
/** Pages kept: those furthest from what is in sight go first. */
const keptPages = 30;
const pagesAhead = 2;
/** Further pages are read after the list has rested this long, in ms. */
const restMs = 100;

export interface PageAsk {
  /** Place of the first row, in a list with places. Null where `after` says where. */
  from: number | null;
  after: string | null;
  first: number;
}

export interface PageAnswer<Row> {
  rows: readonly Row[];
  endCursor: string | null;
  /** True where rows may follow. */
  more: boolean;
  /** The row up to which it was searched, where time ran out before the page was full. */
  searchedTo: number | null;
}

export interface RowStoreState<Failure extends Error = Error> {
  /** Number of rows of the list, as far as that is known. */
  rows: number;
  /** True where that many are all. */
  complete: boolean;
  /** True where any answer came. */
  read: boolean;
  searchedTo: number | null;
  error: Failure | null;
}

export interface RowStore<Row, Failure extends Error = Error> {
  at(place: number): Row | undefined;
  state(): RowStoreState<Failure>;
  watch(changed: () => void): () => void;
  /** Says which rows are in sight. */
  show(first: number, last: number): void;
  /** Reads pages with such a row again: those in sight now, others when they come into sight. */
  refresh(which: 'all' | ((row: Row) => boolean)): void;
  /** Tries again after an error. */
  again(): void;
  close(): void;
}

/** `places`: how many rows the list has; null where it grows. */
export function createRowStore<Row, Failure extends Error>({
  ask,
  places,
}: {
  ask: (page: PageAsk) => Promise<PageAnswer<Row> | Failure>;
  places: number | null;
}): RowStore<Row, Failure> {
  const pages = new Map<number, { rows: readonly Row[]; stale: boolean }>();
  /** Where each page of a growing list begins. */
  let starts: (string | null)[] = [null];
  let state: RowStoreState<Failure> = {
    rows: places ?? 0,
    complete: places !== null,
    read: places === 0,
    searchedTo: null,
    error: null,
  };
  let inSight = { first: 0, last: 0, down: true, steady: false };
  let rested = false;
  let rest: ReturnType<typeof setTimeout> | undefined;
  let busy = false;
  let closed = false;
  const watchers = new Set<() => void>();

  function change(changes: Partial<RowStoreState<Failure>>) {
    state = { ...state, ...changes };
    for (const changed of watchers) changed();
  }

  function nextPage(): number | null {
    const first = Math.floor(inSight.first / pageRows);
    const last = Math.floor(inSight.last / pageRows);
    const exists = (page: number) =>
      places === null ? page < starts.length : page >= 0 && page * pageRows < places;
    const seen = Array.from({ length: last - first + 1 }, (_, at) => first + at).filter(exists);
    const missing = seen.find((page) => !pages.has(page));
    if (missing !== undefined) return missing;
    const stale = seen.find((page) => pages.get(page)?.stale);
    if (stale !== undefined) return stale;
    // A list that is scrolled row by row meets its next page; one that leaps would read in vain.
    const steps = rested ? pagesAhead : inSight.steady ? 1 : 0;
    for (let step = 1; step <= steps; step += 1) {
      const ahead = inSight.down ? last + step : first - step;
      if (ahead >= 0 && exists(ahead) && !pages.has(ahead)) return ahead;
    }
    return null;
  }

  async function pump() {
    if (busy || closed || state.error) return;
    const page = nextPage();
    if (page === null) return;
    busy = true;
    await (places === null ? readGrown(page) : readPlaced(page));
    busy = false;
    if (!closed) void pump();
  }

  async function readPlaced(page: number) {
    const answer = await ask({ from: page * pageRows, after: null, first: pageRows });
    if (closed) return;
    if (!isPage(answer)) return change({ error: answer });
    keep(page, answer.rows);
    change({ read: true });
  }

  async function readGrown(page: number) {
    const fromStart = page === 0;
    const rows: Row[] = [];
    let after = starts[page] ?? null;
    for (;;) {
      const answer = await ask({ from: null, after, first: pageRows - rows.length });
      if (closed) return;
      if (!isPage(answer)) return change({ error: answer });
      rows.push(...answer.rows);
      after = answer.endCursor ?? after;
      const full = rows.length >= pageRows;
      if (fromStart) {
        pages.clear();
        starts = [null];
      }
      keep(page, [...rows]);
      if (full && answer.more) starts[page + 1] = after;
      const complete = !answer.more;
      change({
        read: state.read || rows.length > 0 || complete,
        rows: fromStart ? rows.length : Math.max(state.rows, page * pageRows + rows.length),
        complete: complete || (state.complete && !fromStart),
        searchedTo: full || complete ? null : answer.searchedTo,
      });
      if (full || complete) return;
    }
  }

  function keep(page: number, rows: readonly Row[]) {
    pages.set(page, { rows, stale: false });
    const middle = (inSight.first + inSight.last) / 2 / pageRows;
    while (pages.size > keptPages) {
      const furthest = [...pages.keys()].reduce((far, one) =>
        Math.abs(one - middle) > Math.abs(far - middle) ? one : far,
      );
      pages.delete(furthest);
    }
  }

  return {
    at: (place) => pages.get(Math.floor(place / pageRows))?.rows[place % pageRows],
    state: () => state,
    watch(changed) {
      watchers.add(changed);
      return () => watchers.delete(changed);
    },
    show(first, last) {
      const down = first === inSight.first ? inSight.down : first > inSight.first;
      const steady = Math.abs(first - inSight.first) < pageRows;
      inSight = { first, last, down, steady };
      rested = false;
      clearTimeout(rest);
      rest = setTimeout(() => {
        rested = true;
        void pump();
      }, restMs);
      void pump();
    },
    refresh(which) {
      for (const page of pages.values()) page.stale ||= which === 'all' || page.rows.some(which);
      void pump();
    },
    again() {
      change({ error: null });
      void pump();
    },
    close() {
      closed = true;
      clearTimeout(rest);
      watchers.clear();
    },
  };
}

function isPage<Row>(answer: PageAnswer<Row> | Error): answer is PageAnswer<Row> {
  return 'rows' in answer;
}
