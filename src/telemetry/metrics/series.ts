/**
 * Series in plain numbers, with text that is ready. prom-client's own hash their labels at each
 * change, and write them again at each look: too much for what happens once an item.
 */
import type { Definition } from './catalog.ts';

export interface Series {
  readonly definition: Definition;
  /** In Prometheus' format, with its help; empty where there are no series. */
  text(): string;
}

/** Never stands in a label: it separates them. */
const separator = '\u0001';

/** A counter, or a gauge where values are set. Labels are given in the order of the definition. */
export class Numbers implements Series {
  readonly definition: Definition;
  private readonly values = new Map<string, { line: string; value: number }>();

  constructor(definition: Definition) {
    this.definition = definition;
    if (definition.labels.length === 0 && definition.type === 'counter') this.add([], 0);
  }

  add(labels: readonly string[], amount = 1): void {
    this.of(labels).value += amount;
  }

  set(labels: readonly string[], value: number): void {
    this.of(labels).value = value;
  }

  /** Forgets all series: what is not set again is not there. */
  clear(): void {
    this.values.clear();
  }

  text(): string {
    if (this.values.size === 0) return '';
    let text = headOf(this.definition);
    for (const { line, value } of this.values.values()) text += `${line}${value}\n`;
    return text;
  }

  /** The number of these labels, to be kept where it changes often. */
  of(labels: readonly string[]): { value: number } {
    const key = labels.join(separator);
    const found = this.values.get(key);
    if (found) return found;
    const shown = labelsText(this.definition, labels);
    const made = { line: `${this.definition.name}${shown && `{${shown}}`} `, value: 0 };
    this.values.set(key, made);
    return made;
  }
}

/** A histogram's counts of one set of labels. Counts are of one bucket each, not of all below. */
export interface Buckets {
  counts: Float64Array;
  sum: number;
  lines: readonly string[];
}

export class Histogram implements Series {
  readonly definition: Definition;
  private readonly bounds: readonly number[];
  private readonly all = new Map<string, Buckets>();

  constructor(definition: Definition) {
    this.definition = definition;
    this.bounds = definition.buckets ?? [];
    if (definition.labels.length === 0) this.of([]);
  }

  /** The buckets of these labels, to be kept where many observations have the same. */
  of(labels: readonly string[]): Buckets {
    const key = labels.join(separator);
    const found = this.all.get(key);
    if (found) return found;
    const lines = this.linesOf(labelsText(this.definition, labels));
    const made = { counts: new Float64Array(this.bounds.length + 1), sum: 0, lines };
    this.all.set(key, made);
    return made;
  }

  observe(buckets: Buckets, value: number): void {
    const { bounds } = this;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] as number)) at += 1;
    buckets.counts[at] = (buckets.counts[at] as number) + 1;
    buckets.sum += value;
  }

  text(): string {
    if (this.all.size === 0) return '';
    let text = headOf(this.definition);
    for (const { counts, sum, lines } of this.all.values()) {
      let below = 0;
      let at = 0;
      for (; at < counts.length; at += 1) {
        below += counts[at] as number;
        text += `${lines[at]}${below}\n`;
      }
      text += `${lines[at]}${sum}\n${lines[at + 1]}${below}\n`;
    }
    return text;
  }

  /** Lines of each bucket, of the sum and of the count. */
  private linesOf(labels: string): string[] {
    const { name } = this.definition;
    const shown = labels && `{${labels}}`;
    const before = labels && `${labels},`;
    const bounds = [...this.bounds.map(String), '+Inf'];
    const buckets = bounds.map((bound) => `${name}_bucket{${before}le="${bound}"} `);
    return [...buckets, `${name}_sum${shown} `, `${name}_count${shown} `];
  }
}

function headOf({ name, help, type }: Definition): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

function labelsText({ labels }: Definition, values: readonly string[]): string {
  return labels.map((label, at) => `${label}="${escaped(values[at] ?? '')}"`).join(',');
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** The first `most` names that are seen; all others are `other`. */
export function boundNames(most: number): (name: string) => string {
  const seen = new Set<string>();
  return (name) => {
    if (seen.has(name)) return name;
    if (seen.size >= most) return 'other';
    seen.add(name);
    return name;
  };
}
