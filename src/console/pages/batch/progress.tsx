/** The progress of a batch: the sieve, its counts in words, and the time that is left. */
import { useEffect, useRef, useState } from 'react';
import { Legend, Sieve } from '../../parts/sieve.tsx';
import { type BatchState, timeLeft } from '../../words/batch-state.ts';
import { count, percent, useTimes } from '../../words/numbers.ts';
import type { Batch } from './documents.ts';

export function Progress({ batch, state }: { batch: Batch; state: BatchState }) {
  const { counts } = batch;
  const answered = counts.succeeded + counts.failed;
  // Of a batch that was cancelled, `progress` is 1: no row is left to ask.
  const share = counts.total > 0 ? answered / counts.total : 0;
  return (
    <section className="card" aria-label="Progress">
      <div className="row wrap progress-line">
        <span className="percent">{percent(share)}</span>
        <span className="soft">
          {count(answered)} of {count(counts.total)} answered
        </span>
        <span className="grow" />
        <TimeLeft batch={batch} otherwise={hasOwnCard(batch) ? '' : state.sentence} />
      </div>
      <Sieve counts={counts} />
      <Legend counts={counts} />
      <Spoken share={share} word={state.word} />
    </section>
  );
}

/** Its reason stands in a card of its own, whole. */
function hasOwnCard({ status, waiting, counts }: Batch): boolean {
  const allFailed = status === 'COMPLETED' && counts.failed === counts.total;
  return status === 'FAILED' || waiting !== null || allFailed;
}

function TimeLeft({ batch, otherwise }: { batch: Batch; otherwise: string }) {
  const times = useTimes();
  const { status, waiting, estimatedCompletionAt } = batch;
  const about = timeLeft(batch);
  if (status === 'PROCESSING' && !waiting && estimatedCompletionAt && about) {
    return (
      <span className="soft" title={times.exact(estimatedCompletionAt)}>
        about <b className="ink">{about}</b> left, at {times.clock(estimatedCompletionAt)}
      </span>
    );
  }
  return <span className="soft sentence">{otherwise}</span>;
}

/** Numbers that move are not read out: every tenth of the way is, and the end. */
function Spoken({ share, word }: { share: number; word: string }) {
  const key = `${Math.floor(share * 10)} ${word}`;
  const before = useRef(key);
  const [said, setSaid] = useState('');
  useEffect(() => {
    if (before.current === key) return;
    before.current = key;
    setSaid(`${word}, ${percent(share, 0)}`);
  }, [key, word, share]);
  return (
    <p className="hidden" role="status">
      {said}
    </p>
  );
}
