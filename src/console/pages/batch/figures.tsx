/** Five figures: pace, cost, tokens, how sure the answers are, what was sent twice. */
import type { ReactNode } from 'react';
import { hasEnded, workedSeconds } from '../../words/batch-state.ts';
import {
  aboutCount,
  count,
  duration,
  many,
  percent,
  perSecond,
  usd,
  usdRange,
} from '../../words/numbers.ts';
import { visible } from '../../words/text.ts';
import { belowCount, fastest } from './charts/sums.ts';
import type { Batch } from './documents.ts';
import type { Sums } from './use-sums.ts';

export function Figures({
  batch,
  sums,
  below,
}: {
  batch: Batch;
  sums: Sums | null;
  /** The confidence whose share below is said. */
  below: number;
}) {
  return (
    <dl className="card figures">
      <Figure name="Pace" value={pace(batch)} below={paceNote(batch, sums)} />
      <Figure name="Cost so far" value={cost(batch)} below={costNote(batch, sums)} />
      <Figure
        name="Tokens"
        value={batch.usage.requests === 0 ? 'nothing sent' : tokens(batch)}
        below={tokensNote(batch)}
      />
      {batch.operation === 'LABEL' && <Sureness batch={batch} sums={sums} below={below} />}
      <Figure name="Sent twice" value={count(batch.resentRequests)} below={twiceNote(batch)} />
    </dl>
  );
}

function Figure({ name, value, below }: { name: string; value: ReactNode; below: ReactNode }) {
  const words = typeof value === 'string' && !/\d/.test(value);
  return (
    <div>
      <dt>{name}</dt>
      <dd className={words ? 'in-words' : undefined}>{value}</dd>
      <dd className="note">{below}</dd>
    </div>
  );
}

function pace({ itemsPerSecond, execution, status }: Batch): string {
  if (status === 'PAUSED') return 'paused';
  if (itemsPerSecond !== null) return perSecond(itemsPerSecond);
  return execution === 'PROVIDER_BATCH' ? 'all at once' : 'not yet';
}

function paceNote(batch: Batch, sums: Sums | null): string {
  if (batch.status === 'PAUSED') return 'nothing is sent';
  if (batch.itemsPerSecond === null) {
    return batch.execution === 'PROVIDER_BATCH' ? 'as each job comes back' : 'no answer so far';
  }
  const worked = workedSeconds(batch);
  if (worked !== null) return `over ${duration(worked)}`;
  const most = sums ? fastest(sums.timeline) : null;
  return most === null ? 'over the last 10 s' : `fastest ${perSecond(most)}`;
}

function cost({ usage }: Batch): string {
  if (usage.requests === 0) return 'nothing sent';
  return usage.costUsd === null ? 'unknown' : usd(usage.costUsd);
}

function costNote(batch: Batch, sums: Sums | null): ReactNode {
  const { usage, maxCostUsd, reused } = batch;
  const parts: string[] = [];
  if (usage.requests > 0 && usage.costUsd === null) {
    return `no price for ${visible(batch.model)}: name it in PRICES`;
  }
  const whole = sums?.projection?.costUsd;
  if (!hasEnded(batch)) {
    if (whole) parts.push(`all in all ${usdRange(whole.low, whole.high)}`);
    else if (sums && !sums.projection) parts.push('10 answers are needed for an estimate');
  } else if (usage.costUsd && batch.counts.succeeded > 0) {
    parts.push(`${usd(usage.costUsd / batch.counts.succeeded)} an answer`);
  }
  if (hasEnded(batch) && reused?.savedUsd) {
    parts.push(`identical rows saved ${usd(reused.savedUsd)}`);
  } else if (hasEnded(batch) && usage.cacheSavedUsd && usage.cacheSavedUsd > 0) {
    parts.push(`the prompt cache saved ${usd(usage.cacheSavedUsd)}`);
  }
  if (maxCostUsd !== null) parts.push(`limit ${usd(maxCostUsd)}`);
  return parts.join(', ') || 'no limit';
}

function tokens({ usage }: Batch): string {
  return aboutCount(usage.inputTokens + usage.outputTokens);
}

function tokensNote({ usage }: Batch): string {
  if (usage.requests === 0) return 'no request so far';
  const cached =
    usage.cachedInputTokens > 0 ? `${aboutCount(usage.cachedInputTokens)} cached` : 'none cached';
  return `${aboutCount(usage.inputTokens)} in, ${aboutCount(usage.outputTokens)} out, ${cached}`;
}

function Sureness({
  batch: { counts },
  sums,
  below,
}: {
  batch: Batch;
  sums: Sums | null;
  below: number;
}) {
  if (counts.succeeded === 0) {
    return <Figure name="Median confidence" value="not yet" below="no answer so far" />;
  }
  if (!sums) return <Figure name="Median confidence" value="not read" below="" />;
  const { medianConfidence, confidence } = sums;
  if (medianConfidence === null) {
    return <Figure name="Median confidence" value="unknown" below="no confidence given" />;
  }
  const all = confidence.reduce((sum, bin) => sum + bin.count, 0);
  const share = all > 0 ? belowCount(confidence, below) / all : 0;
  return (
    <Figure
      name="Median confidence"
      value={String(medianConfidence)}
      below={`${percent(share)} of answers below ${below}`}
    />
  );
}

function twiceNote({ resentRequests, usage, unmeteredUsd }: Batch): string {
  if (usage.unmeteredRequests > 0) {
    const cost = unmeteredUsd === null ? 'cost unknown' : `perhaps ${usd(unmeteredUsd)}`;
    return `${many(usage.unmeteredRequests, 'request')} without usage, ${cost}`;
  }
  return resentRequests === 0 ? 'no worker died' : 'a worker died between sending and noting';
}
