/** One row, whole: the text as it came, the answer, the error, the request as it was sent. */
import { ArrowLeft, X } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { CombinedError } from 'urql';
import { returns } from '../../../data/connection.ts';
import { graphql, type ResultOf } from '../../../data/graphql.ts';
import { useStore } from '../../../data/store.ts';
import { uncached } from '../../../data/uncached.ts';
import { Button } from '../../../parts/button.tsx';
import { useNarrow } from '../../../parts/narrow.ts';
import { PartError, Skeleton } from '../../../parts/part.tsx';
import { useShortcuts } from '../../../parts/shortcuts.ts';
import { Sure } from '../../../parts/sure.tsx';
import { When } from '../../../parts/when.tsx';
import { bytes, count, many, usd } from '../../../words/numbers.ts';
import { oneLine, visible } from '../../../words/text.ts';
import { CopyButton } from '../copy-button.tsx';
import type { Batch } from '../documents.ts';
import { failureWords } from '../failure-words.ts';
import { WholeText } from '../whole-text.tsx';
import { answerText, labelsOf } from './cells.tsx';

const WholeRow = graphql(`
  query BatchRow($id: ID!, $index: Int!) {
    batch(id: $id) {
      items(fromIndex: $index, first: 1) {
        edges {
          node {
            id
            index
            row
            customId
            status
            content
            metadata
            output
            rejectedAnswer
            request
            attempts
            cached
            completedAt
            error {
              code
              message
            }
            usage {
              costUsd
              inputTokens
              outputTokens
              cachedInputTokens
              requests
            }
          }
        }
      }
    }
  }
`);

type Answer = NonNullable<ResultOf<typeof WholeRow>['batch']>;
type WholeItem = Answer['items']['edges'][number]['node'];

/** Longer texts are shown whole only on demand: a browser takes seconds for 10 MB. */
const shownCharacters = 20_000;

export function OpenedRow({
  batch,
  index,
  stamp,
  onClose,
}: {
  batch: Batch;
  index: number;
  /** The row is read again when this changes. */
  stamp: string;
  onClose: () => void;
}) {
  const { item, missing, error, again } = useWholeRow({ id: batch.id, index, stamp });
  const heading = useRef<HTMLHeadingElement>(null);
  useShortcuts({ Escape: onClose });
  // On a phone the row is a page of its own.
  const narrow = useNarrow();
  const Title = narrow ? 'h1' : 'h2';
  useEffect(() => {
    if (narrow) heading.current?.focus({ preventScroll: true });
  }, [narrow]);
  return (
    <section className="card opened" aria-label={`Row ${index}`}>
      <div className="row">
        <Button small className="phone-only" onClick={onClose}>
          <ArrowLeft size={14} aria-hidden="true" /> Results
        </Button>
        <Title ref={heading} tabIndex={-1} className="row-title">
          Row {count(index)}
        </Title>
        <span className="grow" />
        <button type="button" className="icon-button" aria-label="Close the row" onClick={onClose}>
          <X size={14} aria-hidden="true" />
        </button>
      </div>
      {error && <PartError error={error} what="The row" again={again} />}
      {missing && <p className="soft">There is no such row.</p>}
      {!item && !error && !missing && <Skeleton lines={8} />}
      {item && <Whole item={item} batch={batch} />}
    </section>
  );
}

function useWholeRow({ id, index, stamp }: { id: string; index: number; stamp: string }) {
  const [item, setItem] = useState<WholeItem | null>(null);
  const [missing, setMissing] = useState(false);
  const [error, setError] = useState<CombinedError | null>(null);
  const [tries, setTries] = useState(0);
  const back = useStore(returns);
  useEffect(() => {
    let current = true;
    void read();
    return () => {
      current = false;
    };

    async function read() {
      const { data, error: failed } = await uncached().query(WholeRow, { id, index }).toPromise();
      if (!current) return;
      setError(failed ?? null);
      if (!data) return;
      const found = data.batch?.items.edges[0]?.node ?? null;
      setItem(found);
      setMissing(found === null);
    }
  }, [id, index, stamp, tries, back]);
  return {
    // What stands here is of the row that is asked for, not of the one before.
    item: item?.index === index ? item : null,
    missing,
    error,
    again: () => setTries(tries + 1),
  };
}

function Whole({ item, batch: { operation, model } }: { item: WholeItem; batch: Batch }) {
  const { error, usage, output, request, metadata, rejectedAnswer } = item;
  return (
    <>
      <Block name="Text" text={item.content} />
      {item.status === 'SUCCEEDED' && (
        <Block name="Answer" text={answerText(output)} json={output}>
          {operation === 'LABEL' ? <LabelAnswer output={output} /> : null}
        </Block>
      )}
      {item.status === 'PENDING' && <p className="soft">Waits for its turn.</p>}
      {item.status === 'PROCESSING' && <p className="soft">Is being asked now.</p>}
      {item.status === 'CANCELLED' && <p className="soft">Was cancelled before its answer.</p>}
      {item.status === 'EXPIRED' && <p className="soft">Its time ran out before its answer.</p>}
      {error && (
        <div className="row-error">
          <p>
            <b>The {failureWords[error.code].one}.</b>
          </p>
          <p>{visible(error.message, { lines: true })}</p>
          <p className="mono soft">{error.code}</p>
          {failureWords[error.code].remedy && <p>{failureWords[error.code].remedy}</p>}
        </div>
      )}
      {rejectedAnswer !== null && <Block name="Answer that was rejected" text={rejectedAnswer} />}
      <dl className="facts-list">
        <dt>Id</dt>
        <dd className="mono cut name">{oneLine(item.customId)}</dd>
        {item.row !== null && (
          <>
            <dt>Row of the file</dt>
            <dd>{count(item.row)}</dd>
          </>
        )}
        <dt>Attempts</dt>
        <dd>{item.cached ? 'none: an identical row had the answer' : count(item.attempts)}</dd>
        <dt>Tokens</dt>
        <dd>{usage ? tokensWords(usage) : 'nothing sent'}</dd>
        <dt>Cost</dt>
        <dd>{usage ? costWords(usage, model) : 'nothing sent'}</dd>
        <dt>Answered</dt>
        <dd>{item.completedAt ? <When at={item.completedAt} as="clock" /> : 'not yet'}</dd>
      </dl>
      {metadata && <Block name="Other columns" text={pretty(metadata)} mono folded />}
      {request ? (
        <Block name="Request as it was sent" text={pretty(request)} mono folded />
      ) : (
        <p className="soft">There is no request: the row could not be sent.</p>
      )}
    </>
  );
}

function LabelAnswer({ output }: { output: unknown }) {
  const { names, confidence } = labelsOf(output);
  return (
    <p className="row wrap">
      {names.length === 0 && <span className="soft">no label</span>}
      {names.map((name) => (
        <span key={name} className="tag">
          {visible(name)}
        </span>
      ))}
      {confidence === null ? (
        <span className="unknown">confidence unknown</span>
      ) : (
        <Sure confidence={confidence} />
      )}
    </p>
  );
}

type ItemUsage = NonNullable<WholeItem['usage']>;

function tokensWords({ inputTokens, outputTokens, cachedInputTokens, requests }: ItemUsage) {
  const cached = cachedInputTokens > 0 ? ` (${count(cachedInputTokens)} cached)` : '';
  const sent = many(requests, 'request');
  return `${count(inputTokens)} in${cached}, ${count(outputTokens)} out, ${sent}`;
}

function costWords({ costUsd }: ItemUsage, model: string): string {
  return costUsd === null ? `unknown: no price for ${visible(model)}` : usd(costUsd);
}

export function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

function Block({
  name,
  text,
  json,
  mono,
  folded,
  children,
}: {
  name: string;
  text: string;
  /** Shown as JSON where the text is only its JSON on one line. */
  json?: unknown;
  mono?: boolean;
  /** Opened by a click. */
  folded?: boolean;
  children?: ReactNode;
}) {
  const [whole, setWhole] = useState(false);
  const Name = useNarrow() ? 'h2' : 'h3';
  const isText = json === undefined || typeof json === 'string' || text !== JSON.stringify(json);
  const full = isText ? text : pretty(json);
  const long = full.length > shownCharacters && !whole;
  const body = (
    <>
      {children ?? (
        <WholeText
          name={name}
          mono={mono || !isText}
          text={long ? full.slice(0, shownCharacters) : full}
        />
      )}
      {long && !children && (
        <Button small onClick={() => setWhole(true)}>
          Show all {bytes(full.length)}
        </Button>
      )}
    </>
  );
  if (folded) {
    return (
      <details className="block">
        <summary>{name}</summary>
        <div className="folded">
          <CopyButton text={full} what={name} />
          {body}
        </div>
      </details>
    );
  }
  return (
    <div className="block">
      <Name>
        {name} <CopyButton text={full} what={name} />
      </Name>
      {body}
    </div>
  );
}
