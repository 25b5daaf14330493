/** All files of the caller, newest first. */
import { type ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { type CombinedError, useClient } from 'urql';
import { Link } from 'wouter';
import { returns } from '../../data/connection.ts';
import { usePresentQuery } from '../../data/present-query.ts';
import { useStore } from '../../data/store.ts';
import { Button, ButtonLink } from '../../parts/button.tsx';
import { Heading, usePageTitle } from '../../parts/page.tsx';
import { Empty, PartError, Skeleton } from '../../parts/part.tsx';
import { When } from '../../parts/when.tsx';
import { formats } from '../../words/files.ts';
import { bytes, count, many } from '../../words/numbers.ts';
import { visible } from '../../words/text.ts';
import { type FileRow, FilesPage } from './documents.ts';

const pageRows = 100;
/** The most that the server gives in one page. */
const maxRows = 1_000;

interface Read {
  files: FileRow[];
  total: number;
  next: string | null;
}

export function FileList() {
  usePageTitle('Files');
  usePresentQuery(FilesPage, { first: pageRows });
  const { read, error, reading, more, again } = useFiles();
  return (
    <>
      <Heading
        title="Files"
        beside={read && <span className="soft">{count(read.total)}</span>}
        actions={
          <ButtonLink to="/new" look="first">
            Upload a file
          </ButtonLink>
        }
      />
      <Body read={read} error={error} again={again} />
      {read && error && <PartError error={error} again={again} what="More of the list" />}
      {read?.next && (
        <div className="row soft foot">
          {count(read.files.length)} of {count(read.total)}
          <Button small busy={reading} onClick={more}>
            Show more
          </Button>
        </div>
      )}
    </>
  );
}

function Body({
  read,
  error,
  again,
}: {
  read: Read | null;
  error: CombinedError | null;
  again: () => void;
}): ReactNode {
  if (!read && error) return <PartError error={error} again={again} what="The list" />;
  if (!read) {
    return (
      <div className="card files waiting">
        <Skeleton lines={8} height={40} />
      </div>
    );
  }
  if (read.files.length === 0) {
    return (
      <Empty title="No file yet">
        <p>A file is stored once, and any number of batches can run over it.</p>
        <p>
          <Link href="/new">Begin a batch with a file</Link>
        </p>
      </Empty>
    );
  }
  return (
    <div className="card files">
      <table aria-label="Files" aria-rowcount={read.total + 1}>
        <thead>
          <tr>
            <th scope="col">file</th>
            <th scope="col">format</th>
            <th scope="col" className="right">
              rows
            </th>
            <th scope="col" className="right">
              size
            </th>
            <th scope="col" className="right">
              uploaded
            </th>
          </tr>
        </thead>
        <tbody>
          {read.files.map((file) => (
            <Row key={file.id} file={file} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ file }: { file: FileRow }) {
  const name = visible(file.name);
  return (
    <tr>
      <td className="file-name">
        <Link href={`/files/${file.id}`} className="title name cut" title={name}>
          {name}
        </Link>
        {file.rejectedCount > 0 && (
          <span className="refused">{many(file.rejectedCount, 'row')} left out</span>
        )}
      </td>
      <td className="soft">{formats[file.format]}</td>
      <td className="right" data-unit={file.itemCount === 1 ? ' row' : ' rows'}>
        {count(file.itemCount)}
      </td>
      <td className="right soft">{bytes(file.sizeBytes)}</td>
      <td className="right soft">
        <When at={file.createdAt} inRow />
      </td>
    </tr>
  );
}

/** Pages that are read one behind the other; read again when the server is back. */
function useFiles() {
  const client = useClient();
  const [read, setRead] = useState<Read | null>(null);
  const [error, setError] = useState<CombinedError | null>(null);
  const [reading, setReading] = useState(false);
  const ask = useCallback(
    async (before: Read | null, first: number) => {
      setReading(true);
      setError(null);
      const answer = await client.query(
        FilesPage,
        { first, after: before?.next ?? null },
        { requestPolicy: 'network-only' },
      );
      setReading(false);
      if (!answer.data) return setError(answer.error ?? null);
      const { edges, totalCount, pageInfo } = answer.data.files;
      setRead({
        files: [...(before?.files ?? []), ...edges.map(({ node }) => node)],
        total: totalCount,
        next: pageInfo.hasNextPage ? pageInfo.endCursor : null,
      });
    },
    [client],
  );
  const back = useStore(returns);
  const latest = useRef(read);
  latest.current = read;
  // As many as are shown: who came back to them stays where they are.
  const again = useCallback(() => {
    const rows = Math.min(maxRows, Math.max(pageRows, latest.current?.files.length ?? 0));
    void ask(null, rows);
  }, [ask]);
  useEffect(again, [again, back]);
  return {
    read,
    error,
    reading,
    more: () => void ask(read, pageRows),
    again,
  };
}
