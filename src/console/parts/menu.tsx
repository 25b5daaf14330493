/** A button that opens a list of things to do. */
import * as Base from '@base-ui/react/menu';
import { ChevronDown } from 'lucide-react';
import type { ReactNode } from 'react';
import { connection } from '../data/connection.ts';
import { useStore } from '../data/store.ts';

export function Menu({
  name,
  look = 'plain',
  children,
}: {
  name: string;
  look?: 'first' | 'plain';
  children: ReactNode;
}) {
  return (
    <Base.Root modal={false}>
      <Base.Trigger className={`button ${look}`}>
        {name}
        <ChevronDown size={14} aria-hidden="true" />
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner className="menu-place" sideOffset={6} align="end">
          <Base.Popup className="menu">{children}</Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

export function MenuItem({
  onClick,
  disabled,
  changes,
  bad,
  note,
  children,
}: {
  onClick: () => void;
  disabled?: boolean;
  /** It changes something at the server: it waits while that is not reached. */
  changes?: boolean;
  bad?: boolean;
  /** In small letters below. */
  note?: string;
  children: ReactNode;
}) {
  const offline = useStore(connection).state === 'offline';
  return (
    <Base.Item
      className={bad ? 'menu-item bad' : 'menu-item'}
      disabled={disabled || (changes && offline)}
      onClick={onClick}
      render={<button type="button" />}
      nativeButton
    >
      <span>{children}</span>
      {note && <small>{note}</small>}
    </Base.Item>
  );
}

export function MenuCheck({
  checked,
  onChange,
  disabled,
  children,
}: {
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
  children: ReactNode;
}) {
  return (
    <Base.CheckboxItem
      className="menu-item check"
      checked={checked}
      onCheckedChange={onChange}
      disabled={disabled}
      closeOnClick={false}
    >
      <span className="box" aria-hidden="true" />
      <span>{children}</span>
    </Base.CheckboxItem>
  );
}

export function MenuRule() {
  return <Base.Separator className="menu-rule" />;
}

/** A sentence between the things to do. */
export function MenuNote({ children }: { children: ReactNode }) {
  return <p className="menu-note">{children}</p>;
}
