/** The question that the page shows the answer of: GraphiQL opens with it. */
import { useEffect } from 'react';
import { type AnyVariables, stringifyDocument, type TypedDocumentNode } from 'urql';
import { addressOf } from './root.ts';
import { createStore, useStore } from './store.ts';

interface Question {
  query: string;
  /** As JSON. */
  variables: string;
}

/** Null where the page asks nothing. */
const present = createStore<Question | null>(null);

/** A longer address is not opened by every server on the way. */
const mostCharacters = 7_000;

/** Tells it until the page is left. Null where the page asks nothing yet. */
export function usePresentQuery<Data, Variables extends AnyVariables>(
  document: TypedDocumentNode<Data, Variables> | string | null,
  variables: Variables,
): void {
  const given = JSON.stringify(variables ?? {}, null, 2);
  useEffect(() => {
    if (document === null) return;
    present.set({ query: stringifyDocument(document), variables: given });
    return () => present.set(null);
  }, [document, given]);
}

/** GraphiQL's own address, with the present question where that is not too long. */
export function useGraphiqlAddress(): string {
  const question = useStore(present);
  const address = addressOf('/graphql');
  const asked = question && `${address}?${new URLSearchParams({ ...question })}`;
  return asked && asked.length <= mostCharacters ? asked : address;
}
