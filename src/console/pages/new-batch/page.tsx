/** A new batch: the data, the columns, what to do, a try, and beside them what it costs. */
import { useEffect, useMemo, useState } from 'react';
import { useClient, useQuery } from 'urql';
import { takeBeginning } from '../../data/beginning.ts';
import { useAddress } from '../../parts/address.ts';
import { Heading, usePageTitle } from '../../parts/page.tsx';
import { ColumnsStep } from './columns-step.tsx';
import { DataStep } from './data-step.tsx';
import { NewBatchService, SourceBatch, SourceFile } from './documents.ts';
import { buildOperation, emptyForm, type Form, formOf, type Problems, textsOf } from './form.ts';
import { RunPanel } from './run-panel.tsx';
import { SameAs } from './same-as.tsx';
import { TryStep } from './try-step.tsx';
import { useQuote } from './use-quote.ts';
import { WhatStep } from './what-step.tsx';
import './new-batch.css';

/** Above so many rows a preview is offered by itself. */
const manyRows = 10_000;

export function NewBatchPage() {
  usePageTitle('New batch');
  const [address, changeAddress] = useAddress();
  const [beginning] = useState(takeBeginning);
  const [form, setForm] = useState<Form>(() => ({
    ...fromAddress(address.get('file')),
    categories: beginning?.categories?.join('\n') ?? '',
  }));
  const [problems, setProblems] = useState<Problems>({});
  const change = (changes: Partial<Form>) => {
    setForm((now) => ({ ...now, ...changes }));
    const touched = Object.keys(changes);
    setProblems((now) =>
      Object.fromEntries(Object.entries(now).filter(([name]) => !touched.includes(name))),
    );
  };
  useFromBatch(address.get('from'), setForm);

  const fileId = form.source.kind === 'file' ? form.source.fileId : null;
  const [{ data: fileData }] = useQuery({
    query: SourceFile,
    variables: { id: fileId ?? '' },
    pause: fileId === null,
  });
  const file = fileId === null ? null : (fileData?.file ?? null);
  const [{ data: server }] = useQuery({ query: NewBatchService });

  const texts = form.source.kind === 'texts' ? textsOf(form.source.text) : [];
  const rows = file ? file.itemCount : texts.length;
  const isRequests = file?.format === 'OPENAI_JSONL' || file?.format === 'ANTHROPIC_JSONL';

  // What a file is decides what the form begins with.
  useEffect(() => {
    if (!file) return;
    changeAddress({ file: file.id, from: null });
    setForm((now) => ({
      ...now,
      name: now.name || file.name.replace(/\.[^.]+$/, ''),
      withPreview: file.itemCount > manyRows,
      operation: isRequests ? 'chat' : now.operation === 'chat' ? 'label' : now.operation,
    }));
  }, [file, isRequests, changeAddress]);

  const operation = useMemo(() => buildOperation(form), [form]);
  const quote = useQuote(form, operation.value ?? null, rows);

  return (
    <>
      <Heading title="New batch" />
      <div className="new-batch">
        <div className="steps">
          <DataStep
            form={form}
            change={change}
            file={file}
            limits={server?.service.limits ?? null}
            problem={problems.source}
            beginning={beginning}
          />
          {file && !isRequests && <ColumnsStep form={form} change={change} file={file} />}
          <WhatStep
            form={form}
            change={change}
            problems={problems}
            isRequests={isRequests}
            models={server?.service.models ?? []}
            defaultModel={server?.service.defaultModel ?? null}
            firstRequest={quote.shown?.models[0]?.firstRequest ?? null}
          />
          <TryStep form={form} file={file} texts={texts} operation={operation.value ?? null} />
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
            setProblems={setProblems}
          />
          <SameAs form={form} rows={rows} fileName={file?.name ?? null} />
        </aside>
      </div>
    </>
  );
}

function fromAddress(file: string | null): Form {
  return file ? { ...emptyForm, source: { kind: 'file', fileId: file } } : emptyForm;
}

/** Begins with the options of a batch, once it is read. */
function useFromBatch(id: string | null, setForm: (form: Form) => void): void {
  const client = useClient();
  useEffect(() => {
    if (!id) return;
    let wanted = true;
    void client
      .query(SourceBatch, { id })
      .toPromise()
      .then(({ data }) => {
        if (wanted && data?.batch) setForm(formOf(data.batch, data.batch.file?.id ?? null));
      });
    return () => {
      wanted = false;
    };
  }, [id, client, setForm]);
}
