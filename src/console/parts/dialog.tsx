/** A question in front of the page: the focus stays in it, and goes back to where it was. */
import * as Base from '@base-ui/react/dialog';
import type { ReactNode } from 'react';

export function Dialog({
  open,
  title,
  children,
  actions,
  onClose,
}: {
  open: boolean;
  title: string;
  children?: ReactNode;
  /** Buttons, the one that does it last. */
  actions: ReactNode;
  onClose: () => void;
}) {
  return (
    <Base.Root open={open} onOpenChange={(next) => next || onClose()}>
      <Base.Portal>
        <Base.Backdrop className="backdrop" />
        <Base.Popup className="dialog">
          <Base.Title className="dialog-title">{title}</Base.Title>
          <div>{children}</div>
          <div className="row end">{actions}</div>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
