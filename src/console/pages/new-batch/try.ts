/** Rows for a try, and what came of them: the same for the form and for the playground. */
import type { CombinedError } from 'urql';

export interface TryItem {
  content: string;
  customId: string;
  metadata?: Record<string, unknown>;
  /** True where the id says which row it is. A drawn row without an id of its own has no such. */
  isNamed?: boolean;
}

export interface Tried {
  content: string;
  customId: string;
  isNamed: boolean;
  answer: string;
  confidence: number | null;
  error: { code: string; message: string } | null;
  costUsd: number | null;
}

export interface TryResult {
  model: string;
  rows: Tried[];
  costUsd: number | null;
  seconds: number;
}

/** An answer of any of the five mutations. */
export interface TryAnswer {
  model: string;
  usage: { costUsd: number | null };
  results: {
    index: number;
    customId: string;
    error: { code: string; message: string } | null;
    usage: { costUsd: number | null } | null;
    label?: string | null;
    labels?: string[] | null;
    confidence?: number | null;
    data?: unknown;
    summary?: string | null;
    text?: string | null;
  }[];
}

/** The rows of a sample as items: the text column alone, or else the whole row. */
export function itemsOf(
  rows: readonly Record<string, unknown>[],
  { text, id }: { text: string | null; id: string | null },
): TryItem[] {
  const taken = new Set<string>();
  return rows.map((row, at) => {
    const given = id ? String(row[id] ?? '') : '';
    const isNamed = given !== '' && !taken.has(given);
    const customId = isNamed ? given.slice(0, 512) : `row-${at}`;
    taken.add(customId);
    const value = text ? row[text] : row;
    const content = typeof value === 'string' ? value : JSON.stringify(value ?? '');
    return { content, customId, metadata: row, isNamed };
  });
}

/** `count` of the texts, drawn from all of them; another seed draws others. */
export function drawTexts(texts: readonly string[], count: number, seed: number): TryItem[] {
  const step = texts.length / Math.min(count, texts.length || 1);
  const places = new Set<number>();
  for (let at = 0; places.size < Math.min(count, texts.length) && at < count * 4; at += 1) {
    places.add(
      Math.floor(at * step + ((seed * 7919) % Math.max(1, Math.floor(step)))) % texts.length,
    );
  }
  return [...places]
    .sort((a, b) => a - b)
    .map((place) => ({ content: texts[place] ?? '', customId: String(place), isNamed: true }));
}

export function readAnswer(answer: TryAnswer, items: readonly TryItem[]): Tried[] {
  return answer.results.map((result) => ({
    content: items[result.index]?.content ?? '',
    customId: result.customId,
    isNamed: items[result.index]?.isNamed ?? false,
    answer: answerOf(result),
    confidence: result.confidence ?? null,
    error: result.error,
    costUsd: result.usage?.costUsd ?? null,
  }));
}

function answerOf({ label, labels, data, summary, text }: TryAnswer['results'][number]): string {
  if (labels && labels.length > 0) return labels.join(', ');
  if (label) return label;
  if (summary) return summary;
  if (text) return text;
  if (data !== null && data !== undefined) return JSON.stringify(data);
  return labels ? 'none' : '';
}

/** The issues of a refused input, by the last name of their path. */
export function issuesOf(error: CombinedError): { path: string; message: string }[] {
  return (error.graphQLErrors[0]?.extensions.issues ?? []) as { path: string; message: string }[];
}
