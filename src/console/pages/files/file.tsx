/** One file: what it holds, what was left out of it, and the batches over it. */
import { useState } from 'react';
import { useClient } from 'urql';
import { Link, useLocation } from 'wouter';
import type { ResultOf } from '../../data/graphql.ts';
import { usePresentQuery } from '../../data/present-query.ts';
import { useLiveQuery } from '../../data/use-live-query.ts';
import { Button, ButtonLink } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { say } from '../../parts/notices.tsx';
import { Heading, usePageTitle } from '../../parts/page.tsx';
import { PartError, Skeleton, sentenceOf } from '../../parts/part.tsx';
import { RowTable } from '../../parts/row-table.tsx';
import { useIsHere } from '../../parts/use-is-here.ts';
import { When } from '../../parts/when.tsx';
import { formats } from '../../words/files.ts';
import { bytes, count, many } from '../../words/numbers.ts';
import { oneLine, visible } from '../../words/text.ts';
import { DeleteFile, FirstRows, OneFile } from './documents.ts';
import { OverFile } from './over-file.tsx';

type File = NonNullable<ResultOf<typeof OneFile>['file']>;

const firstRows = 10;
const mostColumns = 12;

export function FilePage({ id }: { id: string }) {
  const [{ data, error }, ask] = useLiveQuery({ query: OneFile, variables: { id } });
  const file = data?.file;
  usePageTitle(file ? visible(file.name) : 'File');
  usePresentQuery(OneFile, { id });
  if (!data) {
    return (
      <>
        <Heading title="File" />
        {error ? (
          <PartError
            error={error}
            again={() => ask({ requestPolicy: 'network-only' })}
            what="The file"
          />
        ) : (
          <Skeleton lines={8} />
        )}
      </>
    );
  }
  return file ? <Shown file={file} /> : <NoFile />;
}

function NoFile() {
  return (
    <>
      <Heading title="There is no such file" />
      <p className="soft">
        It may have been deleted. <Link href="/files">All files</Link>
      </p>
    </>
  );
}

function Shown({ file }: { file: File }) {
  const [asks, setAsks] = useState(false);
  const isResults = file.format === 'OPENAI_RESULTS';
  return (
    <>
      <Heading
        title={<bdi>{visible(file.name)}</bdi>}
        actions={
          <>
            <Button look="bad" changes onClick={() => setAsks(true)}>
              Delete
            </Button>
            {!isResults && (
              <ButtonLink to={`/new?file=${file.id}`} look="first">
                New batch
              </ButtonLink>
            )}
          </>
        }
      />
      <p className="soft facts">
        <span>{formats[file.format]}</span>
        <span>{many(file.itemCount, 'row')}</span>
        <span>{bytes(file.sizeBytes)}</span>
        <span>{file.encoding ?? 'encoding unknown'}</span>
        <span>
          uploaded <When at={file.createdAt} />
        </span>
        <span className="mono">{file.id}</span>
      </p>
      <div className="stack">
        <OverFile fileId={file.id} />
        <Columns file={file} />
        <Rows file={file} />
        <LeftOut file={file} />
      </div>
      {asks && <DeleteDialog file={file} onClose={() => setAsks(false)} />}
    </>
  );
}

function Columns({ file }: { file: File }) {
  return (
    <section className="card" aria-labelledby="columns">
      <h2 id="columns">Columns</h2>
      {file.columns.length === 0 ? (
        <p className="soft">This format has none: a row is its text.</p>
      ) : (
        <ul className="columns">
          {file.columns.map((column) => (
            <li key={column} className="tag">
              {oneLine(column, 80)}
              {column === file.contentField && <small> is the text</small>}
              {column === file.customIdField && <small> is the id</small>}
            </li>
          ))}
        </ul>
      )}
      {file.columns.length > 0 && file.contentField === null && (
        <p className="soft">No column holds the text: the whole row goes to the model.</p>
      )}
      {file.warnings.map((warning) => (
        <p key={warning} className="soft">
          {visible(warning)}
        </p>
      ))}
    </section>
  );
}

function Rows({ file }: { file: File }) {
  const [{ data, error }, ask] = useLiveQuery({
    query: FirstRows,
    variables: { id: file.id, first: firstRows },
  });
  const rows = data?.file?.preview;
  return (
    <section className="card" aria-labelledby="first-rows">
      <h2 id="first-rows">
        {rows && rows.length < firstRows ? 'Rows' : `First ${firstRows} rows`}
      </h2>
      {error && !rows ? (
        <PartError
          error={error}
          again={() => ask({ requestPolicy: 'network-only' })}
          what="The rows"
        />
      ) : rows ? (
        <RowTable
          name="Rows of the file"
          columns={[...new Set(rows.flatMap((row) => Object.keys(row)))]}
          rows={rows}
          most={mostColumns}
        />
      ) : (
        <Skeleton lines={firstRows} />
      )}
    </section>
  );
}

function LeftOut({ file }: { file: File }) {
  const { rejections, rejectedCount, blankCount } = file;
  if (rejectedCount === 0 && blankCount === 0) return null;
  return (
    <section className="card" aria-labelledby="left-out">
      <h2 id="left-out">Left out</h2>
      {blankCount > 0 && <p className="soft">{many(blankCount, 'row')} had only blank cells.</p>}
      {rejectedCount > 0 && (
        <>
          <p className="soft">
            {many(rejectedCount, 'row')} {rejectedCount === 1 ? 'was' : 'were'} refused
            {rejections.length < rejectedCount && `, the first ${count(rejections.length)} are`}
            {rejections.length < rejectedCount && ' here'}.
          </p>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by the keyboard. */}
          <ul className="refusals" tabIndex={0}>
            {rejections.map(({ row, reason }) => (
              <li key={`${row} ${reason}`}>
                <b>Row {count(row)}</b> {oneLine(reason, 300)}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function DeleteDialog({ file, onClose }: { file: File; onClose: () => void }) {
  const client = useClient();
  const [, go] = useLocation();
  const isHere = useIsHere();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  async function run(): Promise<void> {
    setBusy(true);
    const { error } = await client.mutation(DeleteFile, { id: file.id });
    setBusy(false);
    if (error) return setProblem(sentenceOf(error));
    say(`${oneLine(file.name, 60)} is deleted.`);
    if (isHere()) go('/files', { replace: true });
  }
  return (
    <Dialog
      open
      title="Delete this file?"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Back</Button>
          {!problem && (
            <Button look="bad" changes busy={busy} onClick={() => void run()}>
              Delete the file
            </Button>
          )}
        </>
      }
    >
      {problem ? (
        <p role="alert">{problem}</p>
      ) : (
        <p>
          {many(file.itemCount, 'row')} will be gone. This cannot be undone. A file that a batch
          uses stays.
        </p>
      )}
    </Dialog>
  );
}
