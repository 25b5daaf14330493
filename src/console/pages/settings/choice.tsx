/** One of a few values, as radio buttons in a row. */
import { useId } from 'react';

export function Choice<Value extends string>({
  legend,
  value,
  options,
  onChoose,
}: {
  legend: string;
  value: Value;
  /** The word for each. */
  options: Readonly<Record<Value, string>>;
  onChoose: (value: Value) => void;
}) {
  const name = useId();
  return (
    <fieldset className="choice">
      <legend>{legend}</legend>
      {(Object.keys(options) as Value[]).map((option) => (
        <label key={option} className="tick">
          <input
            type="radio"
            name={name}
            checked={option === value}
            onChange={() => onChoose(option)}
          />
          {options[option]}
        </label>
      ))}
    </fieldset>
  );
}
