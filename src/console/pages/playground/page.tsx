/** The playground: one text, one operation, up to three models side by side, with the request. */
import { useEffect, useState } from 'react';
import { useClient } from 'urql';
import { usePresentQuery } from '../../data/present-query.ts';
import { useLiveQuery } from '../../data/use-live-query.ts';
import { Button } from '../../parts/button.tsx';
import { type Keeper, Kept } from '../../parts/kept.tsx';
import { Heading, usePageTitle } from '../../parts/page.tsx';
import { sentenceOf } from '../../parts/part.tsx';
import { Sure } from '../../parts/sure.tsx';
import { shortTime, usd } from '../../words/numbers.ts';
import { visible } from '../../words/text.ts';
import { NewBatchService, QuoteRun, tryDocuments } from '../new-batch/documents.ts';
import { isEmpty } from '../new-batch/draft.ts';
import { Field } from '../new-batch/field.tsx';
import { buildOperation, emptyForm, type Form } from '../new-batch/form.ts';
import { withoutSolved } from '../new-batch/problems.ts';
import type { OperationInput } from '../new-batch/submission.ts';
import { readAnswer, type TryAnswer, type TryResult } from '../new-batch/try.ts';
import { FirstRequest, WhatStep } from '../new-batch/what-step.tsx';
import '../new-batch/new-batch.css';
import './playground.css';

const mostModels = 3;

/** The question that a reload keeps. */
interface Question {
  form: Form;
  text: string;
  /** The models beside that of the form. */
  others: readonly string[];
}

interface Column {
  model: string;
  busy: boolean;
  result: TryResult | null;
  error: string | null;
  request: Record<string, unknown> | null;
}

export function PlaygroundPage() {
  usePageTitle('Playground');
  return <Kept<Question> name="playground">{(keeper) => <Playground {...keeper} />}</Kept>;
}

function Playground({ before, keep, startOver }: Keeper<Question>) {
  const client = useClient();
  const [{ data }] = useLiveQuery({ query: NewBatchService });
  const [form, setForm] = useState(before?.form ?? emptyForm);
  const [text, setText] = useState(before?.text ?? '');
  const [others, setOthers] = useState(before?.others ?? []);
  const [columns, setColumns] = useState<readonly Column[]>([]);
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({});
  const defaultModel = data?.service.defaultModel ?? '';
  const busy = columns.some((column) => column.busy);
  usePresentTry(form, text);
  const isBlank = text === '' && others.length === 0 && isEmpty(form);
  useEffect(() => {
    keep(isBlank ? null : { form, text, others });
  }, [form, text, others, isBlank, keep]);

  async function ask(): Promise<void> {
    const built = buildOperation(form);
    setProblems({
      ...built.problems,
      ...(text.trim() === '' ? { text: 'Give a text' } : {}),
    });
    if (!built.value || text.trim() === '' || busy) return;
    const named = [form.model || defaultModel, ...others.map((name) => name.trim())];
    const models = [...new Set(named)].filter(Boolean);
    setColumns(models.map((model) => ({ model, busy: true, ...nothing })));
    await Promise.all(models.map((model, at) => askOne(built.value, model, at)));
  }

  async function askOne(operation: OperationInput, model: string, at: number): Promise<void> {
    const put = (changes: Partial<Column>) =>
      setColumns((now) =>
        now.map((column, one) => (one === at ? { ...column, ...changes } : column)),
      );
    const name = form.operation;
    if (name === 'chat') return;
    const options = { ...operation[name], model };
    const items = [{ content: text, customId: '0' }];
    const began = performance.now();
    const source = { texts: [text] };
    const [{ data: answers, error }, { data: quoted }] = await Promise.all([
      client
        .mutation<Record<string, TryAnswer>>(tryDocuments[name], { items, options })
        .toPromise(),
      client
        .query(QuoteRun, { input: { operation: { [name]: options }, source } as never })
        .toPromise(),
    ]);
    const request = quoted?.quote.models[0]?.firstRequest ?? null;
    const answer = answers?.[name];
    if (error || !answer) {
      put({ busy: false, request, error: error ? sentenceOf(error) : 'No answer came.' });
      return;
    }
    const seconds = (performance.now() - began) / 1_000;
    const rows = readAnswer(answer, items);
    put({
      busy: false,
      request,
      result: { model: answer.model, rows, costUsd: answer.usage.costUsd, seconds },
    });
  }

  return (
    <>
      <Heading
        title="Playground"
        actions={
          !isBlank && (
            <Button small onClick={startOver}>
              Start over
            </Button>
          )
        }
      />
      <div className="new-batch playground">
        <div className="steps">
          <section className="card">
            <Field label="Text" problem={problems.text}>
              {(parts) => (
                <textarea
                  {...parts}
                  className="input"
                  rows={4}
                  dir="auto"
                  value={text}
                  onChange={(event) => {
                    setText(event.target.value);
                    setProblems(({ text: _, ...others }) => others);
                  }}
                />
              )}
            </Field>
          </section>
          <WhatStep
            number={null}
            form={form}
            change={(changes) => {
              setForm((now) => ({ ...now, ...changes }));
              setProblems((now) => withoutSolved(now, changes));
            }}
            problems={problems}
            isRequests={false}
            models={data?.service.models ?? []}
            defaultModel={defaultModel || null}
            firstRequest={null}
          />
          <section className="card others" aria-label="Models beside it">
            {others.map((model, at) => (
              <Field key={at} label={`Model ${at + 2}`}>
                {(parts) => (
                  <div className="row">
                    <input
                      {...parts}
                      className="input"
                      placeholder="provider/name"
                      spellCheck={false}
                      value={model}
                      onChange={(event) =>
                        setOthers(others.map((one, i) => (i === at ? event.target.value : one)))
                      }
                    />
                    <Button
                      small
                      aria-label={`Remove model ${at + 2}`}
                      onClick={() => setOthers(others.filter((_, i) => i !== at))}
                    >
                      Remove
                    </Button>
                  </div>
                )}
              </Field>
            ))}
            <div className="row">
              {others.length < mostModels - 1 && (
                <Button small onClick={() => setOthers([...others, ''])}>
                  Compare with a model
                </Button>
              )}
              <span className="grow" />
              <Button look="first" changes busy={busy} onClick={() => void ask()}>
                Ask
              </Button>
            </div>
          </section>
        </div>
        <aside className="beside" aria-label="Answers">
          {columns.length === 0 && <p className="card soft">The answers will stand here.</p>}
          {columns.map((column) => (
            <AnswerCard key={column.model} column={column} />
          ))}
        </aside>
      </div>
    </>
  );
}

function usePresentTry(form: Form, text: string): void {
  const { value } = buildOperation(form);
  const name = form.operation;
  const isAsked = value !== undefined && name !== 'chat' && text.trim() !== '';
  usePresentQuery(isAsked ? tryDocuments[name] : null, {
    items: [{ content: text }],
    options: value?.[name],
  });
}

const nothing = { result: null, error: null, request: null };

function AnswerCard({ column }: { column: Column }) {
  const { model, busy, result, error, request } = column;
  const row = result?.rows[0];
  return (
    <section className="card answer" aria-label={model}>
      <h2 className="mono">{model}</h2>
      {busy && <p className="soft">Asking …</p>}
      {error && (
        <p className="problem" role="alert">
          {error}
        </p>
      )}
      {row && (
        <div role="status">
          {row.error ? (
            <p>
              <span className="tag bad">{row.error.code}</span> {visible(row.error.message)}
            </p>
          ) : (
            <p className="answer-text" dir="auto">
              {visible(pretty(row.answer), { lines: true })}
            </p>
          )}
          {row.confidence !== null && <Sure confidence={row.confidence} />}
          <p className="soft small">
            {shortTime(result.seconds)},{' '}
            {row.costUsd === null ? 'cost unknown: no price for this model' : usd(row.costUsd)}
          </p>
        </div>
      )}
      {request && <FirstRequest body={request} />}
    </section>
  );
}

/** JSON on several lines, all else as it is. */
function pretty(text: string): string {
  if (!/^[[{]/.test(text)) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
