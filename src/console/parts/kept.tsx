/** A form of which a reload, and the way to another page and back, lose nothing. */
import { Fragment, type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { graphql } from '../data/graphql.ts';
import { forgetTyped, keepTyped, readTyped } from '../data/typed.ts';
import { useLiveQuery } from '../data/use-live-query.ts';
import { Skeleton } from './part.tsx';

const KeyOwner = graphql(`
  query KeyOwner {
    service {
      owner
    }
  }
`);

/** After the last change. */
const quietMs = 300;

export interface Keeper<T> {
  /** The text that was typed before; null where the form begins empty. */
  before: T | null;
  /** Takes what stands in the form after each change; null where that is not worth keeping. */
  keep(value: T | null): void;
  /** Shows an empty form in place of this one. */
  startOver(): void;
}

/** Shows the form once it is known whether what was kept under this name is this owner's. */
export function Kept<T>({
  name,
  children,
}: {
  name: string;
  children: (keeper: Keeper<T>) => ReactNode;
}) {
  const [{ data }] = useLiveQuery({ query: KeyOwner, requestPolicy: 'cache-first' });
  const owner = data?.service.owner;
  const [kept] = useState(() => readTyped<T>(name));
  const [round, setRound] = useState(0);
  /** Undefined while the form has not told. */
  const latest = useRef<T | null>(undefined);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  const write = useCallback(() => {
    clearTimeout(timer.current);
    const value = latest.current;
    if (owner === undefined || value === undefined) return;
    if (value === null) forgetTyped(name);
    else keepTyped(name, { owner, value });
  }, [name, owner]);
  const keep = useCallback(
    (value: T | null) => {
      latest.current = value;
      clearTimeout(timer.current);
      // What is to be forgotten goes at once: a page may follow that this one leads to.
      if (value === null) write();
      else timer.current = setTimeout(write, quietMs);
    },
    [write],
  );
  useEffect(() => {
    addEventListener('pagehide', write);
    return () => {
      removeEventListener('pagehide', write);
      write();
    };
  }, [write]);

  if (kept && owner === undefined) return <Skeleton lines={12} />;
  // On a server without keys it was nobody's: whose key this tab gets next has it.
  const isOwn = kept?.owner === null || kept?.owner === owner;
  const before = round === 0 && kept && isOwn ? kept.value : null;
  const startOver = () => {
    keep(null);
    setRound(round + 1);
  };
  return <Fragment key={round}>{children({ before, keep, startOver })}</Fragment>;
}
