/** A new batch: the data, the columns, what to do, a try, and beside them what it costs. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { takeBeginning } from '../../data/beginning.ts';
import { usePresentQuery } from '../../data/present-query.ts';
import { useLiveQuery } from '../../data/use-live-query.ts';
import { useAddress } from '../../parts/address.ts';
import { Button } from '../../parts/button.tsx';
import { type Keeper, Kept } from '../../parts/kept.tsx';
import { Heading, usePageTitle } from '../../parts/page.tsx';
import { PartError } from '../../parts/part.tsx';
import { ColumnsStep } from './columns-step.tsx';
import { DataStep, type SourceFileData } from './data-step.tsx';
import { NewBatchService, SourceBatch, SourceFile, SubmitBatch } from './documents.ts';
import { beginDraft, type Draft, isAskedFor, isEmpty } from './draft.ts';
import {
  buildOperation,
  buildSubmission,
  copyOf,
  type Form,
  type Problems,
  textsOf,
  withCopy,
} from './form.ts';
import { withoutSolved } from './problems.ts';
import { RunPanel } from './run-panel.tsx';
import { SameAs } from './same-as.tsx';
import { TryStep } from './try-step.tsx';
import { useQuote } from './use-quote.ts';
import { useSubmit } from './use-submit.ts';
import { WhatStep } from './what-step.tsx';
import './new-batch.css';

/** Above so many rows a preview is offered by itself. */
const manyRows = 10_000;

export function NewBatchPage() {
  usePageTitle('New batch');
  return <Kept<Draft> name="new-batch">{(keeper) => <NewBatchForm {...keeper} />}</Kept>;
}

function NewBatchForm({ before, keep, startOver }: Keeper<Draft>) {
  const [address, changeAddress] = useAddress();
  const [beginning] = useState(takeBeginning);
  const [draft] = useState(() =>
    before && !beginning && isAskedFor(before, address)
      ? before
      : beginDraft(address, beginning?.categories?.join('\n')),
  );
  const [form, setForm] = useState(draft.form);
  const [problems, setProblems] = useState<Problems>({});
  /** Chosen fields stay, though a batch that is copied is read later. */
  const chosen = useRef(new Set<keyof Form>(draft.chosen));
  const change = (changes: Partial<Form>) => {
    setForm((now) => ({ ...now, ...changes }));
    // The file that the address names is read no more.
    if (changes.source?.kind === 'texts' && address.get('file')) changeAddress({ file: null });
    for (const name of Object.keys(changes)) chosen.current.add(name as keyof Form);
    setProblems((now) => withoutSolved(now, changes));
  };
  const from = address.get('from');
  const copied = useFromBatch(from, {
    before: draft.copied,
    begin: (copy) => setForm((now) => withCopy(now, copy, chosen.current)),
  });

  const fileId = form.source.kind === 'file' ? form.source.fileId : null;
  const source = useSourceFile(fileId);
  const { file } = source;
  const [{ data: server }] = useLiveQuery({ query: NewBatchService });

  const texts = form.source.kind === 'texts' ? textsOf(form.source.text) : [];
  const rows = file ? file.itemCount : texts.length;
  const isRequests = file?.format === 'OPENAI_JSONL' || file?.format === 'ANTHROPIC_JSONL';

  const hasColumns = file !== null && !isRequests;

  // What a file is decides what the form begins with, once a file.
  const begun = useRef(draft.begun);
  useEffect(() => {
    if (!file || begun.current?.id === file.id) return;
    const before = begun.current;
    begun.current = { id: file.id, name: file.name };
    changeAddress({ file: file.id });
    setForm((now) => ({
      ...now,
      name: now.name === '' || (before && now.name === stemOf(before)) ? stemOf(file) : now.name,
      withPreview: file.itemCount > manyRows,
    }));
  }, [file, changeAddress]);
  const isChat = form.operation === 'chat';
  const isReading = fileId !== null && !file;
  useEffect(() => {
    if (isReading || isRequests === isChat) return;
    setForm((now) => ({ ...now, operation: isRequests ? 'chat' : 'label' }));
  }, [isReading, isRequests, isChat]);

  // After all that changes the form by itself.
  useEffect(() => {
    const state = { chosen: [...chosen.current], begun: begun.current, copied: copied.last() };
    keep(isEmpty(form) ? null : { id: draft.id, form, from, ...state });
  }, [draft, form, from, keep, copied.last]);

  const operation = useMemo(() => buildOperation(form), [form]);
  const quote = useQuote(form, operation.value ?? null, rows);
  const submission = useMemo(() => buildSubmission(form, { rows }).value, [form, rows]);
  usePresentQuery(submission ? SubmitBatch : null, { input: submission as never });
  const submitting = useSubmit({
    form,
    rows,
    draft: draft.id,
    setProblems,
    onSubmitted: () => keep(null),
  });

  return (
    <>
      <Heading
        title="New batch"
        actions={
          !isEmpty(form) && (
            <Button
              small
              onClick={() => {
                changeAddress({ file: null, from: null });
                startOver();
              }}
            >
              Start over
            </Button>
          )
        }
      />
      <div className="new-batch">
        <div className="steps">
          {copied.failure && (
            <PartError error={copied.failure} again={copied.again} what="The batch to begin with" />
          )}
          {copied.isGone && <p className="problem">There is no such batch to begin with.</p>}
          <DataStep
            form={form}
            change={change}
            file={file}
            limits={server?.service.limits ?? null}
            problem={problems.source ?? (source.isGone ? 'There is no such file.' : undefined)}
            beginning={beginning}
          />
          {source.failure && (
            <PartError error={source.failure} again={source.again} what="The file" />
          )}
          {hasColumns && file && (
            <ColumnsStep
              key={file.id}
              form={form}
              change={change}
              file={file}
              problems={problems}
            />
          )}
          <WhatStep
            number={hasColumns ? 3 : 2}
            form={form}
            change={change}
            problems={problems}
            isRequests={isRequests}
            models={server?.service.models ?? []}
            defaultModel={server?.service.defaultModel ?? null}
            firstRequest={quote.shown?.models[0]?.firstRequest ?? null}
          />
          <TryStep
            number={hasColumns ? 4 : 3}
            form={form}
            file={file}
            texts={texts}
            rows={rows}
            operation={operation.value ?? null}
            submitting={submitting}
          />
        </div>
        <aside className="beside" aria-label="Cost and start">
          <RunPanel
            form={form}
            change={change}
            file={file}
            rows={rows}
            quote={quote}
            server={server?.service ?? null}
            problems={problems}
            submitting={submitting}
          />
          {submission && <SameAs input={submission} texts={texts} fileName={file?.name ?? null} />}
        </aside>
      </div>
    </>
  );
}

function stemOf({ name }: Pick<SourceFileData, 'name'>): string {
  return name.replace(/\.[^.]+$/, '');
}

/** The file that is chosen; null until it is read, and while none is. */
function useSourceFile(id: string | null) {
  const [{ data, error, fetching }, ask] = useLiveQuery({
    query: SourceFile,
    variables: { id: id ?? '' },
    pause: id === null,
  });
  // What was read of another file stands here until this one is.
  const file = data?.file && data.file.id === id ? data.file : null;
  return {
    file,
    isGone: id !== null && data?.file === null && !fetching,
    failure: id !== null && !file ? (error ?? null) : null,
    again: () => ask({ requestPolicy: 'network-only' }),
  };
}

/** Begins with the options of a batch, once it is read. */
function useFromBatch(
  id: string | null,
  {
    before,
    begin,
  }: {
    /** The batch that the form began with before a reload. */
    before: string | null;
    begin: (copy: Partial<Form>) => void;
  },
) {
  const [{ data, error, fetching }, ask] = useLiveQuery({
    query: SourceBatch,
    variables: { id: id ?? '' },
    pause: id === null || id === before,
  });
  const batch = data?.batch && data.batch.id === id ? data.batch : null;
  const begun = useRef(before);
  const last = useCallback(() => begun.current, []);
  useEffect(() => {
    if (!batch || begun.current === batch.id) return;
    begun.current = batch.id;
    begin(copyOf(batch, batch.file?.id ?? null));
  }, [batch, begin]);
  return {
    isGone: id !== null && data?.batch === null && !fetching,
    failure: id !== null && !batch ? (error ?? null) : null,
    /** The batch that the form has begun with. */
    last,
    again: () => ask({ requestPolicy: 'network-only' }),
  };
}
