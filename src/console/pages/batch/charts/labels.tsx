/** The number of times that each label was given. A click shows the rows that have it. */
import { count, percent } from '../../../words/numbers.ts';
import { oneLine } from '../../../words/text.ts';
import { ChartCard } from './chart-card.tsx';
import type { LabelCount } from './sums.ts';

export function Labels({
  labels,
  chosen,
  onChoose,
  fields,
  field,
  onField,
}: {
  labels: readonly LabelCount[];
  /** Labels that the results are filtered by. */
  chosen: readonly string[];
  /** Null where the answers cannot be filtered by these values. */
  onChoose: ((label: string) => void) | null;
  /** Fields whose values can be counted; empty for labels. */
  fields: readonly string[];
  field: string | null;
  onField: (field: string) => void;
}) {
  const most = Math.max(1, ...labels.map((one) => one.count));
  const word = fields.length > 0 ? 'value' : 'label';
  return (
    <ChartCard
      title={fields.length > 0 ? 'Values' : 'Labels'}
      beside={
        fields.length > 0 ? (
          <select
            className="input small-select"
            aria-label="Field"
            value={field ?? ''}
            onChange={(event) => onField(event.target.value)}
          >
            {fields.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        ) : (
          labels.length > 0 && <span className="soft note">click to filter</span>
        )
      }
      columns={[word, 'count', 'share']}
      rows={labels.map(({ label, count: items, share }) => [
        label === null ? nameOfNone(fields) : oneLine(label),
        count(items),
        percent(share),
      ])}
    >
      {labels.length === 0 ? (
        <p className="soft chart-words">No answer so far.</p>
      ) : (
        // Without buttons in it, what scrolls must be reached by keyboard all the same.
        <ul className="bars" tabIndex={onChoose ? undefined : 0}>
          {labels.map((one) => (
            <Bar
              key={one.label ?? '\u0000'}
              one={one}
              most={most}
              none={nameOfNone(fields)}
              pressed={one.label !== null && chosen.includes(one.label)}
              onChoose={onChoose}
            />
          ))}
        </ul>
      )}
    </ChartCard>
  );
}

function nameOfNone(fields: readonly string[]): string {
  return fields.length > 0 ? 'not known' : 'no label';
}

function Bar({
  one: { label, count: items, share },
  most,
  none,
  pressed,
  onChoose,
}: {
  one: LabelCount;
  most: number;
  none: string;
  pressed: boolean;
  onChoose: ((label: string) => void) | null;
}) {
  const inside = (
    <>
      <span className={label === null ? 'cut soft' : 'cut name'} title={label ?? undefined}>
        {label === null ? none : oneLine(label)}
      </span>
      <span className="bar-track" aria-hidden="true">
        <i style={{ width: `${(100 * items) / most}%` }} />
      </span>
      <span className="bar-count">
        {count(items)} <span aria-hidden="true">·</span> {percent(share, 0)}
      </span>
    </>
  );
  return (
    <li>
      {label !== null && onChoose ? (
        <button
          type="button"
          className="bar"
          aria-pressed={pressed}
          onClick={() => onChoose(label)}
        >
          {inside}
        </button>
      ) : (
        <span className="bar">{inside}</span>
      )}
    </li>
  );
}
