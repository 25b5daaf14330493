/** Reads out how far a batch is: every tenth of the way, and its end. Numbers that move are not. */
import { useEffect, useRef, useState } from 'react';
import { hasEnded, type StateBatch } from '../words/batch-state.ts';
import { percent } from '../words/numbers.ts';

export function Milestones({
  batch: { status, counts },
  word,
  sentence,
}: {
  batch: Pick<StateBatch, 'status' | 'counts'>;
  /** The state in the words of the page. */
  word: string;
  sentence: string;
}) {
  const [said, setSaid] = useState('');
  const answered = counts.succeeded + counts.failed;
  const tenths = counts.total > 0 ? Math.floor((10 * answered) / counts.total) : 0;
  const seen = useRef({ tenths, status });
  useEffect(() => {
    const before = seen.current;
    seen.current = { tenths, status };
    if (status !== before.status) {
      setSaid(hasEnded({ status }) && sentence ? `${word}: ${sentence}` : word);
    } else if (tenths > before.tenths) setSaid(`${percent(tenths / 10, 0)} answered`);
  }, [tenths, status, word, sentence]);
  return (
    <p className="hidden" role="status">
      {said}
    </p>
  );
}
