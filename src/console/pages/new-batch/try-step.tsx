/** Step 4: some rows, answered at once, before all of them are paid for. */
import { useState } from 'react';
import { useClient } from 'urql';
import { Button } from '../../parts/button.tsx';
import { sentenceOf } from '../../parts/part.tsx';
import { Sure, unsure } from '../../parts/sure.tsx';
import { count, shortTime, usd } from '../../words/numbers.ts';
import { visible } from '../../words/text.ts';
import type { SourceFileData } from './data-step.tsx';
import { SampleRows, tryDocuments } from './documents.ts';
import { type Form, previewRowsOf } from './form.ts';
import { Step } from './step.tsx';
import type { OperationInput } from './submission.ts';
import {
  drawTexts,
  itemsOf,
  readAnswer,
  type TryAnswer,
  type TryItem,
  type TryResult,
} from './try.ts';
import type { Submitting } from './use-submit.ts';

const few = 5;
const several = 20;

export function TryStep({
  number,
  form,
  file,
  texts,
  rows: all,
  operation,
  submitting,
}: {
  number: number;
  form: Form;
  file: SourceFileData | null;
  texts: readonly string[];
  /** Rows of the file, or texts. */
  rows: number;
  /** Null while the form has problems. */
  operation: OperationInput | null;
  submitting: Submitting;
}) {
  const client = useClient();
  const [seed, setSeed] = useState(0);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const [tried, setTried] = useState<{ result: TryResult; of: string } | null>(null);
  const present = JSON.stringify([operation, form.contentField, form.customIdField, form.source]);

  async function draw(rows: number, from: number): Promise<TryItem[]> {
    if (!file) return drawTexts(texts, rows, from);
    const variables = { id: file.id, first: rows, seed: from };
    const answer = await client.query(SampleRows, variables).toPromise();
    if (answer.error) throw new Error(sentenceOf(answer.error));
    return itemsOf(answer.data?.file?.sample ?? [], {
      text: form.contentField ?? file.contentField,
      id: form.customIdField ?? file.customIdField,
    });
  }

  async function run(rows: number, from: number): Promise<void> {
    if (!operation || busy || form.operation === 'chat') return;
    setBusy(true);
    setError(null);
    setSeed(from);
    const began = performance.now();
    try {
      const items = await draw(rows, from);
      const { data, error: failure } = await client
        .mutation<Record<string, TryAnswer>>(tryDocuments[form.operation], {
          items: items.map(({ isNamed: _, ...item }) => item),
          options: operation[form.operation] ?? {},
        })
        .toPromise();
      const answer = data?.[form.operation];
      if (failure || !answer) throw new Error(failure ? sentenceOf(failure) : 'No answer came.');
      const result = {
        model: answer.model,
        rows: readAnswer(answer, items),
        costUsd: answer.usage.costUsd,
        seconds: (performance.now() - began) / 1_000,
      };
      setTried({ result, of: present });
    } catch (failure) {
      setError((failure as Error).message);
    } finally {
      setBusy(false);
    }
  }

  const hasRows = file !== null || texts.length > 0;
  if (form.operation === 'chat') {
    const previewRows = previewRowsOf(form);
    return (
      <Step
        number={number}
        title="Try"
        summary={all > previewRows ? undefined : `needs more than ${previewRows} requests`}
        beside={
          all > previewRows && (
            <Button
              small
              changes
              busy={submitting.busy}
              onClick={() => void submitting.run({ changes: { withPreview: true } })}
            >
              Try {previewRows} rows
            </Button>
          )
        }
      >
        <p className="soft">
          {previewRows} of the requests run as they are, then you are asked. Their answers are kept,
          and not paid again.
        </p>
      </Step>
    );
  }
  const size = tried?.result.rows.length ?? few;
  return (
    <Step
      number={number}
      title="Try"
      summary={hasRows ? 'some rows, drawn from all of them' : 'needs data'}
      beside={
        hasRows && (
          <>
            {tried && (
              <>
                <Button small changes busy={busy} onClick={() => void run(size, seed + 1)}>
                  Other rows
                </Button>
                <Button small changes busy={busy} onClick={() => void run(several, seed)}>
                  {several} rows
                </Button>
              </>
            )}
            <Button
              small
              changes
              busy={busy}
              disabled={!operation}
              onClick={() => void run(size, seed)}
            >
              {tried ? 'Try again' : `Try ${few} rows`}
            </Button>
          </>
        )
      }
    >
      {error && (
        <p className="problem" role="alert">
          {error}
        </p>
      )}
      {busy && !tried && <p className="soft">Asking the model …</p>}
      {tried && <Answers result={tried.result} isStale={tried.of !== present} />}
    </Step>
  );
}

function Answers({ result, isStale }: { result: TryResult; isStale: boolean }) {
  const { rows, costUsd, seconds } = result;
  const answered = rows.filter(({ error }) => error === null).length;
  const low = rows.filter(({ confidence }) => confidence !== null && confidence < unsure).length;
  const withConfidence = rows.some(({ confidence }) => confidence !== null);
  const withNames = rows.some(({ isNamed }) => isNamed);
  return (
    <section className={isStale ? 'answers stale' : 'answers'} aria-label="Answers">
      <table>
        <thead>
          <tr>
            {withNames && <th className="col-row">row</th>}
            <th>text</th>
            <th className="col-answer">answer</th>
            {withConfidence && <th className="col-sure">confidence</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.customId}>
              {withNames && (
                <td className="name-cell mono soft cut">
                  {row.isNamed ? visible(row.customId) : ''}
                </td>
              )}
              <td className="text cut" dir="auto">
                {visible(row.content.slice(0, 300))}
              </td>
              <td className="cut" dir="auto">
                {row.error ? (
                  <span className="tag bad" title={row.error.message}>
                    {row.error.code}
                  </span>
                ) : (
                  <span className="tag" title={row.answer.slice(0, 1_000)}>
                    {visible(row.answer.slice(0, 200))}
                  </span>
                )}
              </td>
              {withConfidence && (
                <td>
                  {row.confidence === null ? (
                    <span className="soft">not given</span>
                  ) : (
                    <Sure confidence={row.confidence} />
                  )}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      <p className="soft small" role="status">
        {answered} of {rows.length} answered in {shortTime(seconds)} by {result.model},{' '}
        {costUsd === null ? 'cost unknown: no price for this model' : `for ${usd(costUsd)}`}.
        {low > 0 && ` ${count(low)} of ${rows.length} ${low === 1 ? 'is' : 'are'} below ${unsure}.`}
        {isStale && ' These answers are of before the last change.'}
      </p>
    </section>
  );
}
