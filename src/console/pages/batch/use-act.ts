/** Doing something to a batch: one thing at a time, with a sentence about how it went. */
import { useEffect, useState } from 'react';
import { type AnyVariables, type TypedDocumentNode, useClient } from 'urql';
import { sentenceOf } from '../../parts/part.tsx';

/** A success is said for this long, in ms; a failure until the next try. */
const saidMs = 10_000;

export interface Acting {
  /** The action under way; null while nothing is. */
  busy: string | null;
  /** The end of the last one; null before. */
  said: { sentence: string; failed: boolean } | null;
  /** Resolves to the answer; null where it failed, which `said` then tells. */
  act<Data, Variables extends AnyVariables>(
    name: string,
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
    say?: (data: Data) => string,
  ): Promise<Data | null>;
}

export function useActing(done: () => void): Acting {
  const client = useClient();
  const [busy, setBusy] = useState<string | null>(null);
  const [said, setSaid] = useState<Acting['said']>(null);
  useEffect(() => {
    if (!said || said.failed) return;
    const timer = setTimeout(() => setSaid(null), saidMs);
    return () => clearTimeout(timer);
  }, [said]);
  return {
    busy,
    said,
    async act(name, document, variables, say) {
      if (busy) return null;
      setBusy(name);
      setSaid(null);
      const { data, error } = await client.mutation(document, variables).toPromise();
      setBusy(null);
      done();
      if (error || !data) {
        setSaid({ sentence: error ? sentenceOf(error) : 'Nothing came back.', failed: true });
        return null;
      }
      if (say) setSaid({ sentence: say(data), failed: false });
      return data;
    },
  };
}
