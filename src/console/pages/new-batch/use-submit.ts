/** The submit of the form: the button's work, and where its problems are shown. */
import { useState } from 'react';
import { useClient } from 'urql';
import { useLocation } from 'wouter';
import { sentenceOf } from '../../parts/part.tsx';
import { useIsHere } from '../../parts/use-is-here.ts';
import { SubmitBatch } from './documents.ts';
import { idempotencyKeyOf } from './draft.ts';
import { buildSubmission, type Form, type Problems } from './form.ts';
import { issuesOf } from './try.ts';

/** Submits the form once, however often the button is pressed. */
export function useSubmit({
  form,
  rows,
  draft,
  setProblems,
  onSubmitted,
}: {
  form: Form;
  rows: number;
  /** The id of the form's draft. */
  draft: string;
  setProblems: (problems: Problems) => void;
  /** The batch is there: the form has served. */
  onSubmitted: () => void;
}) {
  const client = useClient();
  const [, go] = useLocation();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const isHere = useIsHere();

  async function run(asDraft: boolean): Promise<void> {
    if (busy) return;
    setError(null);
    const { value, problems } = buildSubmission(form, { rows, asDraft });
    if (!value) {
      setProblems(problems);
      focusFirstProblem();
      return;
    }
    setBusy(true);
    // After a lost answer the same input is the same batch.
    const idempotencyKey = idempotencyKeyOf(draft, value);
    const { data, error: failure } = await client
      .mutation(SubmitBatch, { input: { ...value, idempotencyKey } as never })
      .toPromise();
    setBusy(false);
    if (data) onSubmitted();
    if (!isHere()) return;
    if (data) {
      go(`/batches/${data.submitBatch.batch.id}`);
      return;
    }
    if (!failure) return;
    const issues = issuesOf(failure);
    const found = Object.fromEntries(
      issues.map(({ path, message }) => [fieldOf(path), message] as const),
    );
    setProblems(found);
    setError(sentenceOf(failure));
    focusFirstProblem();
  }

  return { run, busy, error };
}

/** `input.operation.label.categories.0` stands at the field `categories`. */
function fieldOf(path: string): string {
  const names = path.split('.').filter((name) => !/^\d+$/.test(name));
  const own: Readonly<Record<string, string>> = {
    maxCostUsd: 'stopAt',
    expiresInSeconds: 'expiresInHours',
    fileId: 'source',
    texts: 'source',
  };
  const last = names.at(-1) ?? '';
  return own[last] ?? last;
}

function focusFirstProblem(): void {
  requestAnimationFrame(() => {
    document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  });
}
