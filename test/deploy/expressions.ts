/** What the dashboard and the alert rules ask Prometheus for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from './checks.ts';

/** Grafana puts its own span in place of this one. */
const spanOfGrafana = /\$__rate_interval/g;

interface Panel {
  targets?: readonly { expr: string }[];
}

export interface Alert {
  alert: string;
  expr: string;
  annotations: Readonly<Record<string, string>>;
}

/** The expressions of all panels. Throws where the file is not JSON. */
export function dashboardExpressions(): string[] {
  const path = join(root, 'deploy/grafana/dashboards/winnow.json');
  const { panels } = JSON.parse(readFileSync(path, 'utf8')) as { panels: readonly Panel[] };
  return panels
    .flatMap(({ targets = [] }) => targets)
    .map(({ expr }) => expr.replace(spanOfGrafana, '5m'));
}

/** The alert rules in order. */
export function alerts(): readonly Alert[] {
  const text = readFileSync(join(root, 'deploy/prometheus/rules.yml'), 'utf8');
  const { groups } = parse(text) as { groups: readonly { rules: readonly Alert[] }[] };
  return groups.flatMap(({ rules }) => rules);
}
