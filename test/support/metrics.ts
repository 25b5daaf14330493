/** Prometheus' text format, read and judged. */
import { spawnSync } from 'node:child_process';

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** The samples of a text. Throws where a line is not of the format. */
export function readMetrics(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    if (line === '' || line.startsWith('# ')) return [];
    const [, name, labels = '', value] =
      /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?[\d.]+(?:e[+-]?\d+)?|[Nn]a[Nn]|[+-]Inf)$/.exec(line) ??
      [];
    if (name === undefined) throw new Error(`not a sample: ${line}`);
    return [{ name, labels: readLabels(labels), value: Number(value) }];
  });
}

function readLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let at = 0;
  while (at < text.length) {
    const part = /^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/.exec(text.slice(at));
    if (!part) throw new Error(`not labels: ${text}`);
    labels[part[1] ?? ''] = part[2] ?? '';
    at += part[0].length;
  }
  return labels;
}

/** The sum of the samples of a name that have these labels. */
export function sumOf(
  samples: readonly Sample[],
  name: string,
  labels: Record<string, string> = {},
): number {
  const wanted = Object.entries(labels);
  return samples
    .filter((one) => one.name === name && wanted.every(([key, value]) => one.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

/** What is wrong with a text, as `promtool check metrics` has it; null where that is missing. */
export function promtool(text: string): string | null {
  const { status, stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  if (error) return null;
  return `${stdout}${stderr}${status === 0 ? '' : `exit ${status}`}`;
}

/** What is wrong with the families of a text, by rules of our own. */
export function strangeFamilies(text: string): string[] {
  const strange: string[] = [];
  const types = new Map<string, string>();
  for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    if (types.has(name)) strange.push(`${name} is there twice`);
    types.set(name, type);
    if (type === 'counter' && !name.endsWith('_total'))
      strange.push(`${name} must end with _total`);
    if (type === 'gauge' && name.endsWith('_total')) strange.push(`${name} must be a counter`);
    if (!text.includes(`# HELP ${name} `)) strange.push(`${name} has no help`);
  }
  const seen = new Set<string>();
  for (const { name, labels } of readMetrics(text)) {
    const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
    if (!types.has(family)) strange.push(`${name} has no type`);
    const key = `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
    if (seen.has(key)) strange.push(`${key} is there twice`);
    seen.add(key);
  }
  return strange;
}
