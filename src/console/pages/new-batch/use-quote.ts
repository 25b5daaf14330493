/** The expected cost of the form as it stands: asked a moment after the last change. */
import { useEffect, useState } from 'react';
import { useClient } from 'urql';
import type { ResultOf } from '../../data/graphql.ts';
import { codeOf, sentenceOf } from '../../parts/part.tsx';
import { QuoteRun } from './documents.ts';
import { buildSource, type Form, type OperationInput } from './form.ts';

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
        }
      : null;
  const wanted = input ? JSON.stringify(input) : null;
  const [answer, setAnswer] = useState<{ of: string; quote: QuoteData } | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [asking, setAsking] = useState(false);

  useEffect(() => {
    if (wanted === null) return;
    let isWanted = true;
    let timer = setTimeout(ask, quietMs);
    async function ask() {
      setAsking(true);
      const variables = { input: JSON.parse(wanted as string) };
      const { data, error: failure } = await client
        .query(QuoteRun, variables, { requestPolicy: 'network-only' })
        .toPromise();
      if (!isWanted) return;
      if (failure && codeOf(failure) === 'RATE_LIMITED') {
        timer = setTimeout(ask, againMs);
        return;
      }
      setAsking(false);
      setError(failure ? sentenceOf(failure) : null);
      if (data) setAnswer({ of: wanted as string, quote: data.quote });
    }
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [wanted, client]);

  return {
    shown: wanted === null ? null : (answer?.quote ?? null),
    isStale: answer !== null && answer.of !== wanted,
    asking: wanted !== null && (asking || answer?.of !== wanted),
    error: wanted === null ? null : error,
  };
}
