/** One option of an operation, as the schema describes it. */
import type { InputField } from 'winnow:schema';
import { Check, Field } from './field.tsx';
import { lookOf, nameOf } from './options.ts';

const placeholders: Readonly<Record<string, string>> = {
  schema: 'company: string, year: integer',
  responseSchema: 'company: string, year: integer',
  instructions: '',
};

/** Where the schema speaks to who writes programs. */
const ownNotes: Readonly<Record<string, string>> = {
  allowNone: 'a text that fits no category gets no label',
};

export function OptionField({
  field,
  typed,
  onChange,
  problem,
}: {
  field: InputField;
  typed: string;
  onChange: (typed: string) => void;
  problem?: string;
}) {
  const look = lookOf(field);
  const name = nameOf(field);
  const note = ownNotes[field.name] ?? firstSentence(field.description);
  if (look === 'check') {
    return (
      <Check
        label={name}
        note={note}
        problem={problem}
        checked={typed === 'true'}
        onChange={(checked) => onChange(checked ? 'true' : '')}
      />
    );
  }
  const isLong = look === 'text' || look === 'json';
  return (
    <Field label={name} note={note} problem={problem}>
      {(parts) =>
        isLong ? (
          <textarea
            {...parts}
            className={look === 'json' ? 'input mono' : 'input'}
            rows={typed.includes('\n') ? 6 : 2}
            dir="auto"
            title={field.description}
            placeholder={placeholders[field.name]}
            value={typed}
            onChange={(event) => onChange(event.target.value)}
          />
        ) : (
          <input
            {...parts}
            className="input"
            inputMode={look === 'number' ? 'decimal' : undefined}
            title={field.description}
            value={typed}
            onChange={(event) => onChange(event.target.value)}
          />
        )
      }
    </Field>
  );
}

/** The first sentence of a description, without the case that the field is absent. */
function firstSentence(text: string): string {
  const [first = ''] = /^.*?[.](?=\s[A-Z{]|$)/s.exec(text.replaceAll(/\s+/g, ' ')) ?? [text];
  return first.replace(/^True: /, '').replace(/\.$/, '');
}
