/** A field with its name, what it means, and what is wrong with it. */
import { type ReactNode, useId } from 'react';

export interface FieldParts {
  id: string;
  'aria-describedby': string | undefined;
  'aria-invalid': true | undefined;
}

export function Field({
  label,
  note,
  problem,
  children,
}: {
  label: string;
  /** In small letters beside the name. */
  note?: string;
  problem?: string;
  children: (parts: FieldParts) => ReactNode;
}) {
  const id = useId();
  return (
    <div className="field">
      <div className="field-head">
        <label htmlFor={id}>{label}</label>
        {note && (
          <span id={`${id}-note`} className="soft small">
            {note}
          </span>
        )}
      </div>
      {children({
        id,
        'aria-describedby': describedBy(id, { note, problem }),
        'aria-invalid': problem ? true : undefined,
      })}
      {problem && (
        <p id={`${id}-problem`} className="problem" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

export function Check({
  label,
  note,
  problem,
  checked,
  onChange,
  disabled,
  children,
}: {
  label: string;
  note?: string;
  problem?: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
  children?: ReactNode;
}) {
  const id = useId();
  return (
    <div className="check">
      <input
        id={id}
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.target.checked)}
        aria-describedby={describedBy(id, { note, problem })}
        aria-invalid={problem ? true : undefined}
      />
      <label htmlFor={id}>{label}</label>
      {children}
      {note && (
        <p id={`${id}-note`} className="soft small">
          {note}
        </p>
      )}
      {problem && (
        <p id={`${id}-problem`} className="problem" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

function describedBy(
  id: string,
  { note, problem }: { note?: string; problem?: string },
): string | undefined {
  return [note && `${id}-note`, problem && `${id}-problem`].filter(Boolean).join(' ') || undefined;
}
