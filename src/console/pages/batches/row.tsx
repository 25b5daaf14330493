/** One batch in the list. */
import { memo } from 'react';
import { Link } from 'wouter';
import type { StateBatch } from '../../data/batch-fields.ts';
import { StepButton } from '../../parts/batch-steps.tsx';
import { Sieve } from '../../parts/sieve.tsx';
import { When } from '../../parts/when.tsx';
import { stateOf } from '../../words/batch-state.ts';
import { count, percent, useTimes } from '../../words/numbers.ts';
import { visible } from '../../words/text.ts';
import { Cost } from './cost.tsx';
import type { BatchRow } from './documents.ts';

interface RowProps {
  batch: BatchRow;
  /** From 0. */
  place: number;
  selected: boolean;
  workers: number | null;
  onSelect: (id: string, selected: boolean) => void;
  onFocus: (place: number) => void;
  onDone: (batch: BatchRow) => void;
}

export const Row = memo(function Row(props: RowProps) {
  const { batch, place, selected, onSelect, onFocus } = props;
  const name = batch.name === null ? batch.id : visible(batch.name);
  return (
    <tr
      className="batch"
      aria-rowindex={place + 2}
      aria-selected={selected}
      onFocus={() => onFocus(place)}
    >
      <td className="pick">
        <label>
          <input
            type="checkbox"
            checked={selected}
            aria-label={`Select ${name}`}
            onChange={(event) => onSelect(batch.id, event.target.checked)}
          />
        </label>
      </td>
      <td className="what">
        <Link
          href={`/batches/${batch.id}`}
          className={batch.name === null ? 'title cut mono' : 'title name cut'}
          data-place={place}
          title={name.length > 40 ? name : undefined}
        >
          {name}
        </Link>
        <div className="sub cut">
          {batch.operation.toLowerCase()} · {visible(batch.model)}
          {batch.execution === 'PROVIDER_BATCH' && ' · batch API'}
        </div>
      </td>
      <Answered batch={batch} />
      <State {...props} name={name} />
      <td className="cost right">
        <Cost batch={batch} />
      </td>
      <td className="began say right">
        <When at={batch.startedAt ?? batch.createdAt} inRow />
      </td>
    </tr>
  );
});

function Answered({ batch: { counts } }: { batch: BatchRow }) {
  const answered = counts.succeeded + counts.failed;
  return (
    <td className="meter">
      <Sieve thin counts={counts} />
      <div className="say">
        <b>{percent(counts.total > 0 ? answered / counts.total : 0)}</b>{' '}
        <span className="of">
          {count(answered)} of {count(counts.total)}
          {counts.failed > 0 && counts.failed < counts.total && (
            <>
              {' · '}
              <span className="failed">{count(counts.failed)} failed</span>
            </>
          )}
        </span>
      </div>
    </td>
  );
}

function State({ batch, workers, name, onDone }: RowProps & { name: string }) {
  const { look, word, sentence, button } = stateOf(batch, { times: useTimes(), workers });
  return (
    <td className="state-cell">
      <div className="words">
        <span className={`state ${look}`}>{word}</span>
        <div className="say cut" title={sentence.length > 40 ? sentence : undefined}>
          {sentence}
        </div>
      </div>
      {button && (
        <StepButton
          small
          batch={batch}
          name={name}
          {...button}
          onDone={(now: StateBatch) => onDone({ ...batch, ...now })}
        />
      )}
    </td>
  );
}
