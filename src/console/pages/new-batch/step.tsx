/** A step of the form: its number, its name, and one line in place of it once it is done. */
import { Check } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from '../../parts/button.tsx';

export function Step({
  number,
  title,
  summary,
  beside,
  done,
  onChange,
  after,
  children,
}: {
  /** Null for a step that stands alone. */
  number: number | null;
  title: string;
  /** The choice, in a line. */
  summary?: ReactNode;
  beside?: ReactNode;
  /** Folded to its summary. */
  done?: boolean;
  onChange?: () => void;
  /** Below the summary of a folded step. */
  after?: ReactNode;
  children?: ReactNode;
}) {
  return (
    <section
      className={`card step ${done ? 'done' : ''} ${number === null ? 'alone' : ''}`}
      aria-label={title}
    >
      <div className="row wrap step-head">
        {number !== null && (
          <span className="step-mark" aria-hidden="true">
            {done ? <Check size={13} /> : number}
          </span>
        )}
        <h2>{title}</h2>
        <span className="soft cut">{summary}</span>
        <span className="grow" />
        {beside}
        {done && onChange && (
          <Button small onClick={onChange} aria-label={`Change: ${title}`}>
            Change
          </Button>
        )}
      </div>
      {after}
      {!done && children && <div className="step-body">{children}</div>}
    </section>
  );
}
