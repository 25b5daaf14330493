/** At which field of the form a refused input is told, and the way there. */
import { emptyForm, type Form, type Problems } from './form.ts';

/** Names of the input that the form has another name for. */
const own: Readonly<Record<string, string>> = {
  categoryDescriptions: 'categories',
  expiresInSeconds: 'expiresInHours',
  maxCostUsd: 'stopAt',
  preview: 'withPreview',
};

/**
 * `input.operation.label.categories.0` stands at the field `categories`, as all of an option does
 * at that option.
 */
export function fieldOf(path: string): string {
  const [, first = '', ...rest] = path.split('.');
  const name = first === 'operation' ? (rest[1] ?? first) : first;
  return Object.hasOwn(own, name) ? (own[name] as string) : name;
}

/** The problems that are left after a change: options stand in one field of the form. */
export function withoutSolved(problems: Problems, changes: Partial<Form>): Problems {
  const hasOptions = 'options' in changes || 'operation' in changes;
  const isSolved = (name: string) => name in changes || (hasOptions && !(name in emptyForm));
  const left = Object.entries(problems).filter(([name]) => !isSolved(name));
  return left.length === Object.keys(problems).length ? problems : Object.fromEntries(left);
}

export function focusFirstProblem(): void {
  document.querySelector<HTMLElement>('[aria-invalid="true"], [data-problem]')?.focus();
}
