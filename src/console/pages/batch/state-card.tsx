/** The frame of a card for a state of a batch. */
import type { ReactNode } from 'react';
import type { Batch } from './documents.ts';
import type { Acting } from './use-act.ts';
import type { Sums } from './use-sums.ts';

export interface CardProps {
  batch: Batch;
  sums: Sums | null;
  acting: Acting;
}

export function Card({
  title,
  look = '',
  children,
  actions,
}: {
  title: string;
  look?: '' | 'bad' | 'grain';
  children: ReactNode;
  actions?: ReactNode;
}) {
  return (
    <section className={`card state-card ${look}`} aria-label={title}>
      <div className="state-words">
        <h2>{title}</h2>
        {children}
      </div>
      {actions && <div className="row wrap state-acts">{actions}</div>}
    </section>
  );
}
