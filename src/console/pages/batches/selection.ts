/** Which batches are selected: some by their ids, or all that match the filter. */
import { useCallback, useEffect, useMemo, useState } from 'react';

export interface Selection {
  ids: ReadonlySet<string>;
  /** All that match, those included that the page has not read. */
  all: boolean;
  set(id: string, selected: boolean): void;
  add(ids: readonly string[]): void;
  takeAll(): void;
  clear(): void;
}

const nothing: { ids: ReadonlySet<string>; all: boolean } = { ids: new Set(), all: false };

/** Another filter begins with nothing selected; batches that are gone are not selected either. */
export function useSelection(filterKey: string, shown: ReadonlySet<string>): Selection {
  const [state, change] = useState(nothing);
  useEffect(() => change(nothing), [filterKey]);
  const set = useCallback(
    (id: string, selected: boolean) =>
      change(({ ids, all }) => {
        // One that is taken out of all leaves those that are shown.
        const next = new Set(all ? shown : ids);
        if (selected) next.add(id);
        else next.delete(id);
        return { ids: next, all: false };
      }),
    [shown],
  );
  const add = useCallback(
    (more: readonly string[]) => change(() => ({ ids: new Set(more), all: false })),
    [],
  );
  const takeAll = useCallback(() => change(({ ids }) => ({ ids, all: true })), []);
  const clear = useCallback(() => change(nothing), []);
  return useMemo(() => {
    const ids = new Set([...state.ids].filter((id) => shown.has(id)));
    return { ids, all: state.all, set, add, takeAll, clear };
  }, [state, shown, set, add, takeAll, clear]);
}
