/** Buttons, and links that look like one. */
import type { ButtonHTMLAttributes, ReactNode } from 'react';
import { Link } from 'wouter';
import { connection } from '../data/connection.ts';
import { useStore } from '../data/store.ts';

type Look = 'first' | 'plain' | 'quiet' | 'bad';

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  small?: boolean;
  /** It changes something at the server: it waits while that is not reached. */
  changes?: boolean;
  /** Its work is under way. */
  busy?: boolean;
}

export function Button({ look = 'plain', small, changes, busy, disabled, ...rest }: ButtonProps) {
  const offline = useStore(connection).state === 'offline';
  const waits = busy || (changes && offline);
  return (
    <button
      type="button"
      {...rest}
      className={`button ${look} ${small ? 'small' : ''} ${rest.className ?? ''}`}
      disabled={disabled}
      aria-disabled={waits || undefined}
      aria-busy={busy || undefined}
      title={changes && offline ? 'Waits until the server is reached again' : rest.title}
      onClick={waits ? (event) => event.preventDefault() : rest.onClick}
    />
  );
}

export function ButtonLink({
  to,
  look = 'plain',
  small,
  children,
}: {
  to: string;
  look?: Look;
  small?: boolean;
  children: ReactNode;
}) {
  return (
    <Link href={to} className={`button ${look} ${small ? 'small' : ''}`}>
      {children}
    </Link>
  );
}
