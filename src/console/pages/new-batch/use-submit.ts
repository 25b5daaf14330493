/** Submits the form once, however often a button is pressed. */
import { useEffect, useState } from 'react';
import { useClient } from 'urql';
import { useLocation } from 'wouter';
import { sentenceOf } from '../../parts/part.tsx';
import { useIsHere } from '../../parts/use-is-here.ts';
import { SubmitBatch } from './documents.ts';
import { idempotencyKeyOf } from './draft.ts';
import { buildSubmission, type Form, type Problems } from './form.ts';
import { fieldOf, focusFirstProblem } from './problems.ts';
import { issuesOf } from './try.ts';

export interface Submitting {
  /** `changes` go with this submit alone. */
  run(how?: { asDraft?: boolean; changes?: Partial<Form> }): Promise<void>;
  busy: boolean;
  /** Why the last one was refused, in a sentence. */
  error: string | null;
}

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
}): Submitting {
  const client = useClient();
  const [, go] = useLocation();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const isHere = useIsHere();
  const [refusals, setRefusals] = useState(0);
  // Once the problems are drawn.
  useEffect(() => {
    if (refusals > 0) focusFirstProblem();
  }, [refusals]);

  async function run({ asDraft = false, changes = {} }: Parameters<Submitting['run']>[0] = {}) {
    if (busy) return;
    setError(null);
    const { value, problems } = buildSubmission({ ...form, ...changes }, { rows, asDraft });
    if (!value) {
      setProblems(problems);
      setRefusals((before) => before + 1);
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
    setProblems(
      Object.fromEntries(issues.map(({ path, message }) => [fieldOf(path), message] as const)),
    );
    setError(sentenceOf(failure));
    setRefusals((before) => before + 1);
  }

  return { run, busy, error };
}
