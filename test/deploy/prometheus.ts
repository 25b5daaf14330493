/** The alert rules, the settings of Prometheus and the expressions of Grafana, by promtool. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type Check, root, run } from './checks.ts';
import { dashboardExpressions } from './expressions.ts';

const cwd = join(root, 'deploy/prometheus');

export const rules: Check = {
  name: 'alert rules are read, and fire where they should and only there',
  needs: { promtool: 'prometheus' },
  async run() {
    await run('promtool', ['check', 'config', 'prometheus.yml'], { cwd });
    const text = await run('promtool', ['check', 'rules', 'rules.yml'], { cwd });
    await run('promtool', ['test', 'rules', 'rules.test.yml'], { cwd });
    const [, count] = /SUCCESS: (\d+) rules found/.exec(text) ?? [];
    return `${count} alerts`;
  },
};

export const dashboard: Check = {
  name: 'each expression of the dashboard is one that Prometheus reads',
  needs: { promtool: 'prometheus' },
  async run() {
    const expressions = dashboardExpressions();
    const folder = mkdtempSync(join(tmpdir(), 'winnow-dashboard-'));
    const recorded = expressions.map((expr, at) => ({ record: `panel:${at}`, expr }));
    const file = join(folder, 'panels.yml');
    writeFileSync(file, stringify({ groups: [{ name: 'dashboard', rules: recorded }] }));
    try {
      await run('promtool', ['check', 'rules', file]);
    } finally {
      rmSync(folder, { recursive: true });
    }
    return `${expressions.length} expressions`;
  },
};
