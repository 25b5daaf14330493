/** Beside the steps: what all rows cost in both lanes, the limits, and the start. */
import { useId, useState } from 'react';
import type { ResultOf } from '../../data/graphql.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { count, many, usdRange, useTimes } from '../../words/numbers.ts';
import { providerName } from '../../words/provider.ts';
import type { SourceFileData } from './data-step.tsx';
import type { NewBatchService } from './documents.ts';
import { Check, Field } from './field.tsx';
import { Folded } from './folded.tsx';
import { type Form, type Problems, previewRowsOf } from './form.ts';
import { leastTime } from './least-time.ts';
import type { QuoteData, QuoteState } from './use-quote.ts';
import type { Submitting } from './use-submit.ts';

type Server = ResultOf<typeof NewBatchService>['service'];

/** Above this share of rows that were left out, Run asks once more. */
const manyLeftOut = 0.01;

export function RunPanel(props: {
  form: Form;
  change: (changes: Partial<Form>) => void;
  file: SourceFileData | null;
  rows: number;
  quote: QuoteState;
  server: Server | null;
  problems: Problems;
  submitting: Submitting;
}) {
  const { form, change, file, rows, quote, server, problems } = props;
  const { run, busy, error } = props.submitting;
  const [asks, setAsks] = useState(false);
  const previewRows = previewRowsOf(form);
  const willPreview = form.withPreview && rows > previewRows;
  const leftOut = file ? file.rejectedCount / (file.rejectedCount + file.itemCount) : 0;
  const label = willPreview
    ? `Run ${count(previewRows)} of ${many(rows, 'row')}`
    : rows > 0
      ? `Run ${many(rows, 'row')}`
      : 'Run';
  return (
    <section className="card run" aria-label="Cost and start">
      <h2>{rows > 0 ? `All ${many(rows, 'row')}` : 'What it costs'}</h2>
      <Lanes {...props} />
      <QuoteNote quote={quote} server={server} />
      <Check
        label={`Run ${count(previewRows)} rows first, then ask me`}
        note="Their answers are kept, and not paid again."
        problem={problems.withPreview}
        checked={willPreview}
        disabled={rows <= previewRows}
        onChange={(withPreview) => change({ withPreview })}
      />
      <Field label="Stop at" note="USD; empty: no limit" problem={problems.stopAt}>
        {(parts) => (
          <input
            {...parts}
            className="input"
            inputMode="decimal"
            placeholder="$"
            value={form.stopAt}
            onChange={(event) => change({ stopAt: event.target.value })}
          />
        )}
      </Field>
      {form.operation !== 'chat' && form.operation !== 'run' && (
        <Check
          label="Ask identical rows once"
          note={form.deduplicate ? identicalNote(quote.shown, rows) : 'Each row is asked.'}
          checked={form.deduplicate}
          onChange={(deduplicate) => change({ deduplicate })}
        />
      )}
      <Field label="Name" problem={problems.name}>
        {(parts) => (
          <input
            {...parts}
            className="input"
            dir="auto"
            value={form.name}
            onChange={(event) => change({ name: event.target.value })}
          />
        )}
      </Field>
      <Folded name="Webhook, expiry" problems={problems} fields={['webhookUrl', 'expiresInHours']}>
        <Field label="Webhook" note="is called at the end" problem={problems.webhookUrl}>
          {(parts) => (
            <input
              {...parts}
              className="input"
              type="url"
              placeholder="https://"
              value={form.webhookUrl}
              onChange={(event) => change({ webhookUrl: event.target.value.trim() })}
            />
          )}
        </Field>
        <Field label="Gives up after" note="hours; empty: 24" problem={problems.expiresInHours}>
          {(parts) => (
            <input
              {...parts}
              className="input"
              inputMode="decimal"
              value={form.expiresInHours}
              onChange={(event) => change({ expiresInHours: event.target.value })}
            />
          )}
        </Field>
      </Folded>
      {error && (
        <p className="problem" role="alert">
          {error}
        </p>
      )}
      <Button
        look="first"
        changes
        busy={busy}
        className="run-button"
        onClick={() => (leftOut > manyLeftOut ? setAsks(true) : void run())}
      >
        {label}
      </Button>
      <Button look="quiet" small changes busy={busy} onClick={() => void run({ asDraft: true })}>
        or save it as a draft
      </Button>
      <Dialog
        open={asks}
        title="Some rows were left out"
        onClose={() => setAsks(false)}
        actions={
          <>
            <Button onClick={() => setAsks(false)}>Back</Button>
            <Button
              look="first"
              changes
              onClick={() => {
                setAsks(false);
                void run();
              }}
            >
              {label}
            </Button>
          </>
        }
      >
        {file && (
          <p>
            {many(file.rejectedCount, 'row')} of the file could not be read and will have no answer.
            The step Data says why.
          </p>
        )}
      </Dialog>
    </section>
  );
}

function Lanes({ form, change, quote, server }: Parameters<typeof RunPanel>[0]) {
  const group = useId();
  const shown = quote.shown?.models[0] ?? null;
  const model = form.model || server?.defaultModel || '';
  const provider = model.split('/')[0] ?? '';
  const known = server?.models.find(({ id }) => id === model);
  const least = quote.shown && server && leastTime(quote.shown, { model, ...server });
  const lanes = [
    {
      value: 'LIVE' as const,
      name: 'Live, row by row',
      note: `Answers from the first second.${least ? ` ${least}` : ''}`,
      cost: shown?.liveCachedUsd ?? shown?.liveUsd ?? null,
      why: ' No known price: name one in PRICES.',
      off: false,
    },
    {
      value: 'PROVIDER_BATCH' as const,
      name: `Batch API of ${providerName(provider)}`,
      note: 'All at once, within 24 hours.',
      cost: shown?.providerBatchUsd ?? null,
      why: ' No known price: name one in PRICES.',
      off: known?.providerBatch === false,
    },
  ];
  return (
    <fieldset className={quote.isStale ? 'lanes stale' : 'lanes'}>
      <legend className="hidden">How it runs</legend>
      {lanes.map(({ value, name, note, cost, why, off }) => (
        <label key={value} className={form.execution === value ? 'lane chosen' : 'lane'}>
          <input
            type="radio"
            name={group}
            checked={form.execution === value}
            disabled={off}
            onChange={() => change({ execution: value })}
          />
          <span className="lane-name">{name}</span>
          <span className="lane-cost">
            {off ? 'no batch API' : quote.shown === null ? '' : costWords(cost)}
          </span>
          <span className="soft small lane-note">
            {note}
            {quote.shown !== null && !cost && !off && why}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function costWords(cost: { low: number; high: number } | null): string {
  return cost ? usdRange(cost.low, cost.high) : 'unknown';
}

function QuoteNote({ quote, server }: { quote: QuoteState; server: Server | null }) {
  const times = useTimes();
  if (quote.error) {
    return (
      <p className="soft small" role="status">
        The cost is unknown: {quote.error}
      </p>
    );
  }
  const shown = quote.shown?.models[0];
  if (!quote.shown || !shown) {
    return (
      <p className="soft small" role="status">
        {quote.asking ? 'Counting …' : 'Not counted yet: it needs data and what to do.'}
      </p>
    );
  }
  const { sampledItems, unaskableItems } = quote.shown;
  return (
    <p className="soft small" role="status">
      Counted from {many(sampledItems, 'row')}
      {shown.tokenizerExact && ' with the model’s own tokenizer'}.{' '}
      {unaskableItems > 0 && `${unaskableWords(unaskableItems)} `}
      {server && `Prices of ${times.day(server.priceListDate)}. `}
      {basisWords[shown.outputBasis]}
      {shown.tooLongItems === null && 'How many rows are too long for the model is unknown. '}
      {shown.tooLongItems ? ` ${many(shown.tooLongItems, 'row')} may be too long.` : ''}
      {shown.caveats.map((caveat) => ` ${caveat}`)}
    </p>
  );
}

function unaskableWords(items: number): string {
  const are = items === 1 ? 'is' : 'are';
  return `${count(items)} of them ${are} blank, or without a field of the template: nothing is sent.`;
}

const basisWords: Readonly<Record<string, string>> = {
  FIXED: '',
  // Its caveat says so.
  GUESSED: '',
  HISTORY: 'The length of the answers is that of earlier batches. ',
  PREVIEW: 'The length of the answers is that of the preview. ',
};

function identicalNote(quote: QuoteData | null, rows: number): string {
  if (!quote) return 'How many there are shows when it is counted.';
  if (quote.identicalItems === null) {
    return rows > 100_000 ? 'Not counted above 100,000 rows.' : 'How many there are is unknown.';
  }
  return quote.identicalItems === 0
    ? 'There are none.'
    : `${many(quote.identicalItems, 'row')} ${quote.identicalItems === 1 ? 'is' : 'are'} like an earlier one.`;
}
