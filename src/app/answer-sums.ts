/** Sums over the answers of a batch: labels, confidences, and times. */
import { BadUserInput } from '../core/errors.ts';
import { quotedName } from '../core/quoted-name.ts';
import type { BatchRecord } from '../db/batches.ts';
import type { Database } from '../db/driver/client.ts';
import { countedAnswers } from '../engine/summaries/counted-answers.ts';
import type { Summaries } from '../engine/summaries/summaries.ts';
import { type Confidences, confidences, labelsOf } from '../engine/summaries/tallies.ts';
import { gathered, type Interval, timeline } from '../engine/summaries/timeline.ts';

interface Needs {
  db: Pick<Database, 'sql'>;
  summaries: Summaries;
}

export interface LabelCount {
  /** Null for the answers that name none. */
  label: string | null;
  count: number;
  /** Share of the items that succeeded, 0 to 1. */
  share: number;
}

/**
 * Number of times that each label was given, or each value of a field, the most frequent first.
 * Throws BadUserInput for a field whose values are of no closed list.
 */
export async function labelCounts(
  { db, summaries }: Needs,
  batch: BatchRecord,
  { field, first }: { field: string | null; first: number },
): Promise<LabelCount[]> {
  const { label, fields } = countedAnswers(batch);
  if (field !== null && !fields.includes(field)) throw uncountable(fields);
  const source = field === null ? label : { member: field, isList: false };
  if (source === null) return [];
  const counts = await summaries.read(db, batch, labelsOf(source));
  return [...counts]
    .sort(([one, count], [other, more]) => more - count || inOrder(one, other))
    .slice(0, first)
    .map(([name, count]) => ({ label: name, count, share: count / batch.succeeded }));
}

/** By code units, null last. */
function inOrder(one: string | null, other: string | null): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  return one < other ? -1 : 1;
}

/** Fields that a message names. */
const maxNamed = 20;

function uncountable(fields: readonly string[]): BadUserInput {
  const named = fields.slice(0, maxNamed).map((name) => quotedName(name));
  const others = fields.length - named.length;
  const list = others > 0 ? `${named.join(', ')} or one of ${others} others` : named.join(', ');
  const message =
    fields.length === 0
      ? 'must be absent: the answers of this batch have no field whose values are a closed list'
      : `must be a field whose values are a closed list: ${list}`;
  return new BadUserInput([{ path: 'field', message }]);
}

export interface ConfidenceBin {
  /** The lowest confidence that belongs to it. */
  from: number;
  /** Where the next begins; the last contains 1. */
  to: number;
  count: number;
}

/** Items by confidence, in equal intervals from 0 to 1. Empty where no item has a confidence. */
export async function confidenceBins(
  needs: Needs,
  batch: BatchRecord,
  bins: number,
): Promise<ConfidenceBin[]> {
  const counts = await readConfidences(needs, batch);
  if (counts.size === 0) return [];
  const edge = (bin: number) => Math.round((bin * 1_000) / bins);
  return Array.from({ length: bins }, (_, bin) => {
    const [from, to] = [edge(bin), edge(bin + 1)];
    let count = 0;
    for (const [thousandth, items] of counts) {
      // 1 itself is in the last.
      if (from <= thousandth && Math.min(thousandth, 999) < to) count += items;
    }
    return { from: from / 1_000, to: to / 1_000, count };
  });
}

/**
 * The highest thousandth that half of the items with a confidence reach. Null where none has one.
 */
export async function medianConfidence(needs: Needs, batch: BatchRecord): Promise<number | null> {
  const counts = await readConfidences(needs, batch);
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  let reaching = 0;
  for (const [thousandth, count] of [...counts].sort(([one], [other]) => other - one)) {
    reaching += count;
    if (reaching * 2 >= all) return thousandth / 1_000;
  }
  return null;
}

async function readConfidences({ db, summaries }: Needs, batch: BatchRecord): Promise<Confidences> {
  if (!countedAnswers(batch).hasConfidence) return confidences.none;
  return await summaries.read(db, batch, confidences);
}

export interface TimelinePoint extends Pick<Interval, 'succeeded' | 'failed'> {
  at: Date;
  seconds: number;
  /** USD; null where no price is known. */
  costUsd: number | null;
}

/** When answers were recorded, in at most so many intervals. Empty ones are left out. */
export async function timelinePoints(
  { db, summaries }: Needs,
  batch: BatchRecord,
  points: number,
): Promise<TimelinePoint[]> {
  const line = await summaries.read(db, batch, timeline);
  const places = [...line.intervals.keys()];
  if (places.length === 0) return [];
  const from = Math.min(...places);
  const factor = Math.ceil((Math.max(...places) - from + 1) / points);
  const { originMs, intervalMs, intervals } = gathered(line, factor, from);
  return [...intervals]
    .sort(([one], [other]) => one - other)
    .map(([place, { succeeded, failed, costUsd, isAsked }]) => ({
      at: new Date((originMs ?? 0) + place * intervalMs),
      seconds: intervalMs / 1_000,
      succeeded,
      failed,
      // What was never asked has cost nothing.
      costUsd: isAsked ? costUsd : (costUsd ?? 0),
    }));
}
