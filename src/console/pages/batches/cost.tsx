/** The cost of a batch, so far and at its end. */
import { usePolledQuery } from '../../data/use-polled-query.ts';
import { hasEnded } from '../../words/batch-state.ts';
import { usd, usdRange } from '../../words/numbers.ts';
import { visible } from '../../words/text.ts';
import { type BatchRow, RowProjection } from './documents.ts';

const againMs = 10_000;

export function Cost({ batch }: { batch: BatchRow }) {
  const { costUsd, requests } = batch.usage;
  const noPrice = `There is no price for ${visible(batch.model)}: the variable PRICES can name one`;
  if (costUsd === null && requests > 0) {
    return (
      <>
        <div className="soft" title={noPrice}>
          unknown
        </div>
        <div className="say">no price</div>
      </>
    );
  }
  return (
    <>
      {requests === 0 && !costUsd ? (
        <div className="soft">nothing sent</div>
      ) : (
        <div>{usd(costUsd ?? 0)}</div>
      )}
      {!hasEnded(batch) && (
        <div className="say" title="What the whole batch is expected to cost">
          {requests === 0 ? <Quoted batch={batch} /> : <Projected batch={batch} />}
        </div>
      )}
    </>
  );
}

/** By the batch's own answers; they are asked again while it runs. */
function Projected({ batch }: { batch: BatchRow }) {
  const { data } = usePolledQuery(
    { query: RowProjection, variables: { id: batch.id } },
    batch.status === 'PROCESSING' ? againMs : null,
  );
  const expected = data?.batch?.projection?.costUsd;
  return expected ? usdRange(expected.low, expected.high) : <Quoted batch={batch} />;
}

/** By a sample of the rows. */
function Quoted({ batch }: { batch: BatchRow }) {
  if (batch.quote === null) return 'not counted yet';
  const { liveUsd, providerBatchUsd } = batch.quote;
  const expected = batch.execution === 'LIVE' ? liveUsd : providerBatchUsd;
  return expected ? usdRange(expected.low, expected.high) : 'no price';
}
