/** What the files of deploy say of each other, of the documents and of the program. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { version } from '../../src/core/version.ts';
import { catalog, genAi } from '../../src/telemetry/metrics/catalog.ts';
import { readPage } from '../docs/documents.ts';
import { root } from './checks.ts';
import { readInstructions } from './dockerfile.ts';
import { alerts, dashboardExpressions } from './expressions.ts';

const read = (path: string) => readFileSync(join(root, path), 'utf8');

describe('each alert', () => {
  const headings = [...readPage('docs/operating.md').matchAll(/^#+ (\w+)$/gm)].map(
    ([, heading = '']) => heading.toLowerCase(),
  );

  it.each(alerts().map((one) => [one.alert, one] as const))(
    '%s says what to do, and names its heading in docs/operating.md',
    (name, { annotations }) => {
      expect(annotations.description).toMatch(/^[A-Z].*\.$/s);
      expect(annotations.runbook_url).toBe(`docs/operating.md#${name.toLowerCase()}`);
      expect(headings).toContain(name.toLowerCase());
    },
  );
});

it('alerts and panels ask for metrics that the program serves, and panels for all of them', () => {
  const served = Object.values({ ...catalog, ...genAi });
  const known = served.flatMap(({ name, type }) =>
    type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => name + end) : [name],
  );
  const panels = dashboardExpressions().flatMap(metricsIn);
  const asked = [...panels, ...alerts().flatMap(({ expr }) => metricsIn(expr))];

  expect(asked.filter((name) => !known.includes(name))).toEqual([]);
  expect(
    served.map(({ name }) => name).filter((name) => !panels.some((one) => one.startsWith(name))),
  ).toEqual(['winnow_storage_size_bytes']);
});

/** Without labels, whose names look like those of metrics. */
function metricsIn(expression: string): string[] {
  const bare = expression.replace(/\{[^}]*\}|by \([^)]*\)/g, '');
  return bare.match(/\b(?:winnow|gen_ai)_\w+/g) ?? [];
}

describe('the version of package.json', () => {
  it('is that of the image', () => {
    const labels = readInstructions(read('Dockerfile')).find(({ name }) => name === 'LABEL');

    expect(labels?.rest).toContain(`org.opencontainers.image.version="${version}"`);
    expect(read('compose.yaml')).toContain(`\${WINNOW_IMAGE:-winnow:${version}}`);
  });

  it('is that of the chart', () => {
    expect(parse(read('deploy/helm/winnow/Chart.yaml'))).toMatchObject({
      version,
      appVersion: version,
    });
  });
});

it('the chart carries the rules that are tested', () => {
  expect(read('deploy/helm/winnow/files/rules.yml')).toBe(read('deploy/prometheus/rules.yml'));
});

it('the image runs as a user without rights, in production, and ends in order', () => {
  const instructions = readInstructions(read('Dockerfile')).map(
    ({ name, rest }) => `${name} ${rest}`,
  );

  expect(instructions).toContain('USER node');
  expect(instructions).toContain('ENV NODE_ENV=production HOST=0.0.0.0');
  expect(instructions).toContain('STOPSIGNAL SIGTERM');
});
