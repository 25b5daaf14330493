/** One row of the results, in its columns. */
// biome-ignore-all lint/a11y/useSemanticElements: cells of a table cannot be laid out row by row.
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus, and names its row.
import { memo } from 'react';
import { Sure } from '../../../parts/sure.tsx';
import { itemErrors } from '../../../words/item-error.ts';
import { aboutCount } from '../../../words/numbers.ts';
import { oneLine, visible } from '../../../words/text.ts';
import type { Batch } from '../documents.ts';
import type { Row } from './use-rows.ts';

type Operation = Batch['operation'];

const answerNames: Readonly<Record<Operation, string>> = {
  LABEL: 'label',
  EXTRACT: 'data',
  ENRICH: 'fields',
  SUMMARIZE: 'summary',
  RUN: 'answer',
  CHAT: 'answer',
};

const waitingWords = {
  PENDING: 'waiting',
  PROCESSING: 'in flight',
  CANCELLED: 'cancelled',
  EXPIRED: 'out of time',
} as const;

/** True where the row has an id of its own, which is more than its place. */
export function hasOwnId({ customId, index, row }: Row): boolean {
  return customId !== String(row === null ? index : row - 1);
}

/** Which columns the results have. */
export function columnsOf(
  operation: Operation,
  withIds: boolean,
): readonly [look: string, name: string][] {
  return [
    ['at', '#'],
    ...(withIds ? [['id', 'id'] as [string, string]] : []),
    ['text', 'text'],
    ['answer', answerNames[operation]],
    ...(operation === 'LABEL' ? [['sure', 'confidence'] as [string, string]] : []),
    ['tokens', 'tokens'],
  ];
}

interface CellsProps {
  row: Row;
  operation: Operation;
}

export const Cells = memo(function Cells({
  row,
  operation,
  withIds,
}: CellsProps & { withIds: boolean }) {
  const { index, customId, excerpt, usage, cached, status } = row;
  const isOpen = status === 'PENDING' || status === 'PROCESSING';
  // A cancelled row took nothing of the identical one.
  const tookAnswer = cached && (status === 'SUCCEEDED' || status === 'FAILED');
  const none = tookAnswer ? 'reused' : isOpen ? '…' : 'none';
  return (
    <>
      <span role="gridcell" className="at mono soft">
        {index}
      </span>
      {withIds && (
        <span role="gridcell" className="id mono cut name" title={customId}>
          {oneLine(customId, 60)}
        </span>
      )}
      <span role="gridcell" className="text cut" dir="auto">
        {visible(excerpt).trim() || <span className="soft">blank</span>}
      </span>
      <Answer row={row} operation={operation} />
      <span role="gridcell" className="tokens mono soft">
        {usage && usage.requests > 0 ? aboutCount(usage.inputTokens + usage.outputTokens) : none}
      </span>
    </>
  );
});

function Answer({ row, operation }: CellsProps) {
  const { status, error, output } = row;
  if (status === 'FAILED') {
    return (
      <>
        <span role="gridcell" className="answer">
          <span className="tag bad">failed</span>
        </span>
        {operation === 'LABEL' && (
          <span role="gridcell" className="sure cut soft">
            {error ? itemErrors[error.code] : 'unknown'}
          </span>
        )}
      </>
    );
  }
  if (status !== 'SUCCEEDED') {
    return (
      <>
        <span role="gridcell" className="answer soft">
          {waitingWords[status]}
        </span>
        {operation === 'LABEL' && <span role="gridcell" className="sure soft" />}
      </>
    );
  }
  if (operation !== 'LABEL') {
    return (
      <span role="gridcell" className="answer wide-answer cut" dir="auto">
        {oneLine(answerText(output))}
      </span>
    );
  }
  const { names, confidence } = labelsOf(output);
  return (
    <>
      <span role="gridcell" className="answer cut">
        {names.length === 0 && <span className="soft">no label</span>}
        {names.map((name) => (
          <span key={name} className="tag" title={name}>
            {oneLine(name, 80)}
          </span>
        ))}
      </span>
      <span role="gridcell" className="sure">
        {confidence === null ? (
          <span className="unknown">unknown</span>
        ) : (
          <Sure confidence={confidence} />
        )}
      </span>
    </>
  );
}

export function labelsOf(output: unknown): { names: string[]; confidence: number | null } {
  const { label, labels, confidence } = (output ?? {}) as Record<string, unknown>;
  const names = Array.isArray(labels) ? labels : label === null ? [] : [label];
  return {
    names: names.map(String),
    confidence: typeof confidence === 'number' ? confidence : null,
  };
}

/** An answer in one text: as it is where it is one, else its JSON. */
export function answerText(output: unknown): string {
  if (typeof output === 'string') return output;
  const only = onlyText(output);
  return only ?? JSON.stringify(output);
}

/** The text of `{"summary": "…"}`, `{"text": "…"}` and the like. */
function onlyText(output: unknown): string | null {
  if (typeof output !== 'object' || output === null) return null;
  const values = Object.values(output).filter((value) => value !== null);
  return values.length === 1 && typeof values[0] === 'string' ? values[0] : null;
}
