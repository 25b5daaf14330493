/** Actions on the batches that are selected. */
import { Button } from '../../parts/button.tsx';
import { count } from '../../words/numbers.ts';
import type { BulkAction } from './bulk.ts';
import type { Selection } from './selection.ts';

export function SelectionBar({
  selection,
  total,
  rows,
  onAction,
}: {
  selection: Selection;
  /** Batches that match the filter, and those of them that are shown. */
  total: number;
  rows: number;
  onAction: (action: BulkAction) => void;
}) {
  const selected = selection.all ? total : selection.ids.size;
  if (selected === 0) return null;
  const offersAll = !selection.all && selected === rows && total > rows;
  return (
    <section className="selected" aria-label="Selected batches">
      <b role="status">{count(selected)} selected</b>
      {offersAll && (
        <Button small look="quiet" onClick={selection.takeAll}>
          Select all {count(total)} that match
        </Button>
      )}
      <span className="grow" />
      <Button small changes onClick={() => onAction('cancel')}>
        Cancel
      </Button>
      <Button small changes onClick={() => onAction('retry')}>
        Retry
      </Button>
      <Button small changes look="bad" onClick={() => onAction('delete')}>
        Delete
      </Button>
      <Button small look="quiet" onClick={selection.clear}>
        Clear
      </Button>
    </section>
  );
}
