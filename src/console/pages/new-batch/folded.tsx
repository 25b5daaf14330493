/** Fields that are not wanted at once: behind a word that opens them. */
import { type ReactNode, useState } from 'react';
import type { Problems } from './form.ts';

export function Folded({
  name,
  problems,
  fields,
  children,
}: {
  name: string;
  problems: Problems;
  /** Names of the fields in it: it opens where one of them has a problem. */
  fields: readonly string[];
  children: ReactNode;
}) {
  const [open, setOpen] = useOpening(problems, fields);
  return (
    <details
      className="more"
      open={open}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>{name}</summary>
      {children}
    </details>
  );
}

/**
 * The state of something that opens with each new problem of its fields. It is open as soon as
 * the problem is drawn: the focus goes there.
 */
export function useOpening(
  problems: Problems,
  fields: readonly string[],
  first = false,
): [boolean, (open: boolean) => void] {
  const [open, setOpen] = useState(first);
  const [seen, setSeen] = useState<Problems>({});
  if (seen !== problems) {
    setSeen(problems);
    if (fields.some((field) => problems[field])) setOpen(true);
  }
  return [open, setOpen];
}
