/** The expected cost of the form as it stands: asked a moment after the last change. */
import { useEffect, useState } from 'react';
import { useClient } from 'urql';
import { returns } from '../../data/connection.ts';
import type { ResultOf } from '../../data/graphql.ts';
import { useStore } from '../../data/store.ts';
import { codeOf, sentenceOf } from '../../parts/part.tsx';
import { QuoteRun } from './documents.ts';
import { buildSource, type Form } from './form.ts';
import type { OperationInput } from './submission.ts';

/** After the last change. */
const quietMs = 600;
/** Before a quote is asked for again, where too many were asked for at once. */
const againMs = 2_000;

export type QuoteData = ResultOf<typeof QuoteRun>['quote'];

export interface QuoteState {
  /** The last one that came; of an earlier form where `isStale`. */
  shown: QuoteData | null;
  isStale: boolean;
  asking: boolean;
  error: string | null;
}

export function useQuote(form: Form, operation: OperationInput | null, rows: number): QuoteState {
  const client = useClient();
  const source = buildSource(form);
  const input =
    operation && source && rows > 0
      ? {
          operation,
          source,
          ...(form.contentField === null ? {} : { contentField: form.contentField }),
          ...(form.deduplicate ? {} : { deduplicate: false as const }),
        }
      : null;
  const wanted = input ? JSON.stringify(input) : null;
  const [answer, setAnswer] = useState<{ of: string; quote: QuoteData } | null>(null);
  const [failure, setFailure] = useState<{ of: string; sentence: string } | null>(null);
  const [asking, setAsking] = useState(false);
  // What the server could not be asked is asked when it is back.
  const back = useStore(returns);

  useEffect(() => {
    if (wanted === null) return;
    let isWanted = true;
    let timer = setTimeout(ask, quietMs);
    async function ask() {
      setAsking(true);
      const variables = { input: JSON.parse(wanted as string) };
      const { data, error } = await client
        .query(QuoteRun, variables, { requestPolicy: 'network-only' })
        .toPromise();
      if (!isWanted) return;
      if (error && codeOf(error) === 'RATE_LIMITED') {
        timer = setTimeout(ask, againMs);
        return;
      }
      setAsking(false);
      setFailure(error ? { of: wanted as string, sentence: sentenceOf(error) } : null);
      if (data) setAnswer({ of: wanted as string, quote: data.quote });
    }
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [wanted, client, back]);

  return {
    shown: wanted === null ? null : (answer?.quote ?? null),
    isStale: answer !== null && answer.of !== wanted,
    asking: wanted !== null && (asking || answer?.of !== wanted),
    error: failure !== null && failure.of === wanted ? failure.sentence : null,
  };
}
