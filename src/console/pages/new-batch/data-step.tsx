/** Step 1: a file from this machine, a file that is at the server, or pasted lines. */
import { type DragEvent, useEffect, useRef, useState } from 'react';
import type { Beginning } from '../../data/beginning.ts';
import type { ResultOf } from '../../data/graphql.ts';
import { useLiveQuery } from '../../data/use-live-query.ts';
import { Button } from '../../parts/button.tsx';
import { formats } from '../../words/files.ts';
import { bytes, count, many, percent } from '../../words/numbers.ts';
import { visible } from '../../words/text.ts';
import { type NewBatchService, RecentFiles, type SourceFile } from './documents.ts';
import { Field } from './field.tsx';
import { type Form, textsOf } from './form.ts';
import { Step } from './step.tsx';
import { type Upload, upload } from './upload.ts';

export type SourceFileData = NonNullable<ResultOf<typeof SourceFile>['file']>;
type Limits = ResultOf<typeof NewBatchService>['service']['limits'];

export function DataStep({
  form,
  change,
  file,
  limits,
  problem,
  beginning,
}: {
  form: Form;
  change: (changes: Partial<Form>) => void;
  file: SourceFileData | null;
  limits: Limits | null;
  problem?: string;
  /** First values of the form, where another page was given them. */
  beginning: Beginning | null;
}) {
  const [folded, setFolded] = useState(true);
  const done = file !== null && folded;
  return (
    <Step
      number={1}
      title="Data"
      done={done}
      onChange={() => setFolded(false)}
      summary={done && file && <FileLine file={file} />}
      after={file && done && <Warnings of={file} />}
    >
      <Choose
        form={form}
        limits={limits}
        problem={problem}
        beginning={beginning}
        onFile={(fileId) => {
          setFolded(true);
          change({ source: { kind: 'file', fileId }, contentField: null, customIdField: null });
        }}
        onTexts={(text) => change({ source: { kind: 'texts', text } })}
      />
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </Step>
  );
}

function FileLine({ file }: { file: SourceFileData }) {
  const left = file.rejectedCount + file.blankCount;
  return (
    <>
      <b className="name">{visible(file.name)}</b> · {formats[file.format]} ·{' '}
      {many(file.itemCount, 'row')} · {bytes(file.sizeBytes)}
      {left > 0 && (
        <>
          {' '}
          · <LeftOut file={file} />
        </>
      )}
    </>
  );
}

/** The guesses that were made when the file was read. */
function Warnings({ of: { warnings } }: { of: SourceFileData }) {
  return warnings.map((warning) => (
    <p key={warning} className="soft small warning">
      {visible(warning)}
    </p>
  ));
}

/** The rows that were left out, with their reasons. */
function LeftOut({ file }: { file: SourceFileData }) {
  const left = file.rejectedCount + file.blankCount;
  return (
    <details className="left-out">
      <summary>{many(left, 'row')} left out</summary>
      <ul>
        {file.blankCount > 0 && <li>{many(file.blankCount, 'blank row')}</li>}
        {file.rejections.map(({ row, reason }) => (
          <li key={`${row} ${reason}`}>
            row {count(row)}: {visible(reason)}
          </li>
        ))}
        {file.rejectedCount > file.rejections.length && (
          <li>and {count(file.rejectedCount - file.rejections.length)} more</li>
        )}
      </ul>
    </details>
  );
}

function Choose({
  form,
  limits,
  problem,
  beginning,
  onFile,
  onTexts,
}: {
  form: Form;
  limits: Limits | null;
  problem?: string;
  beginning: Beginning | null;
  onFile: (id: string) => void;
  onTexts: (text: string) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  const [running, setRunning] = useState<{ name: string; share: number } | null>(null);
  /** The one whose file will be taken: another file takes the place of one on its way. */
  const sending = useRef<Upload | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [over, setOver] = useState(false);

  async function send(file: File | undefined): Promise<void> {
    if (!file) return;
    setError(null);
    if (limits && file.size > limits.fileBytes) {
      setError(
        `${file.name} has ${bytes(file.size)}; a file may have ${bytes(limits.fileBytes)} and ${many(limits.fileRows, 'row')}. Split it and run its parts.`,
      );
      return;
    }
    sending.current?.cancel();
    const started = upload(file, (share) => {
      if (sending.current === started) setRunning({ name: file.name, share });
    });
    sending.current = started;
    setRunning({ name: file.name, share: 0 });
    try {
      const id = await started.done;
      if (sending.current === started) onFile(id);
    } catch (failure) {
      if (sending.current === started) setError((failure as Error).message);
    } finally {
      if (sending.current === started) {
        sending.current = null;
        setRunning(null);
      }
    }
  }

  // The limits come first: a file beyond them is not sent.
  const begun = useRef(false);
  useEffect(() => {
    if (begun.current || !limits) return;
    begun.current = true;
    void send(beginning?.file);
  });
  const texts = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (beginning?.pastes) texts.current?.focus();
  }, [beginning]);

  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void send(event.dataTransfer.files[0]);
  };
  const text = form.source.kind === 'texts' ? form.source.text : '';
  const lines = textsOf(text).length;

  return (
    <div className="choose">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the button does the same. */}
      <div
        className={over ? 'drop over' : 'drop'}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <label className="hidden" htmlFor="file">
          File
        </label>
        <input
          id="file"
          ref={input}
          className="hidden"
          type="file"
          tabIndex={-1}
          accept=".csv,.tsv,.json,.jsonl,.ndjson,.txt,.gz"
          onChange={(event) => {
            void send(event.target.files?.[0]);
            event.target.value = '';
          }}
        />
        {running ? (
          <>
            <p>
              {running.share < 1 ? 'Sending' : 'Reading'} <b>{visible(running.name)}</b>,{' '}
              {percent(running.share, 0)}
            </p>
            <progress value={running.share} aria-label={`Upload of ${running.name}`} />
            <Button small onClick={() => sending.current?.cancel()}>
              Stop
            </Button>
          </>
        ) : (
          <>
            <p>Drop a CSV, JSON, JSONL or text file here</p>
            <Button
              look="first"
              changes
              data-problem={problem ? '' : undefined}
              onClick={() => input.current?.click()}
            >
              Choose a file
            </Button>
            {limits && (
              <p className="soft small">
                Up to {bytes(limits.fileBytes)} and {many(limits.fileRows, 'row')}
              </p>
            )}
          </>
        )}
      </div>
      {error && (
        <p className="problem" role="alert">
          {error}
        </p>
      )}
      <HereAlready onFile={onFile} disabled={running !== null} />
      <Field label="Or paste texts" note={lines > 0 ? many(lines, 'text') : 'one a line'}>
        {(parts) => (
          <textarea
            {...parts}
            ref={texts}
            className="input"
            rows={4}
            dir="auto"
            // The file that is on its way would take the place of texts.
            disabled={running !== null}
            value={text}
            onChange={(event) => onTexts(event.target.value)}
          />
        )}
      </Field>
    </div>
  );
}

function HereAlready({ onFile, disabled }: { onFile: (id: string) => void; disabled: boolean }) {
  const [{ data }] = useLiveQuery({ query: RecentFiles });
  const files = data?.files.edges.map(({ node }) => node) ?? [];
  if (files.length === 0) return null;
  return (
    <Field label="Or a file that is here">
      {(parts) => (
        <select
          {...parts}
          className="input"
          disabled={disabled}
          value=""
          onChange={(event) => event.target.value && onFile(event.target.value)}
        >
          <option value="">Choose …</option>
          {files
            .filter(({ format }) => format !== 'OPENAI_RESULTS')
            .map((file) => (
              <option key={file.id} value={file.id}>
                {visible(file.name)}, {many(file.itemCount, 'row')}
              </option>
            ))}
        </select>
      )}
    </Field>
  );
}
