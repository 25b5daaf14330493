/** The states that each part of a page may be in: not read yet, failed, empty. */
import { type ReactNode, useEffect, useState } from 'react';
import type { CombinedError } from 'urql';
import { visible } from '../words/text.ts';
import { Button } from './button.tsx';

/** Nothing shows below this, so that what comes quickly does not flicker. */
const patienceMs = 400;

/** Grey bars in the size of what comes: `lines` of `height` px. */
export function Skeleton({ lines = 3, height = 33 }: { lines?: number; height?: number }) {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), patienceMs);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div
      className={shown ? 'skeleton' : 'skeleton early'}
      style={{ height: lines * height }}
      role="status"
      aria-label="Loading"
    >
      {Array.from({ length: lines }, (_, at) => (
        <i key={at} style={{ height: height - 12 }} />
      ))}
    </div>
  );
}

/** A failure in one part of a page, and the offer to try it again. */
export function PartError({
  error,
  again,
  what,
}: {
  error: CombinedError;
  again?: () => void;
  /** The part that could not be read: `The list`. */
  what: string;
}) {
  return (
    <div className="part-error" role="alert">
      <p>
        <b>{what} could not be read.</b> {sentenceOf(error)}
      </p>
      {again && (
        <Button small onClick={again}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** An error in the server's words, with the id under which its log has more. */
export function sentenceOf(error: CombinedError): string {
  if (error.networkError) return 'The server cannot be reached.';
  const [first] = error.graphQLErrors;
  if (!first) return visible(error.message);
  const { code, requestId } = first.extensions as { code?: string; requestId?: string };
  const message = visible(first.message, { lines: true });
  return code === 'INTERNAL_SERVER_ERROR' && requestId
    ? `${message} (request ${requestId})`
    : message;
}

/** The code of an error of the API; null where the server was not reached. */
export function codeOf(error: CombinedError): string | null {
  return (error.graphQLErrors[0]?.extensions.code as string | undefined) ?? null;
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** The word for what is not known, and why: never 0 and never an empty place. */
export function Unknown({ why }: { why: string }) {
  return <span className="unknown">unknown: {why}</span>;
}
