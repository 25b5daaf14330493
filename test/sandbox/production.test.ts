/** The equipment that makes a sandbox fail is for tests: a start of Winnow loads none of it. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const source = new URL('../../src/', import.meta.url);

/** All that a file imports, types too: a build compiles these as well. */
function reachedFrom(start: string): Set<string> {
  const reached = new Set<string>();
  const open = [new URL(start, source)];
  for (let url = open.pop(); url; url = open.pop()) {
    const name = url.href.slice(source.href.length);
    if (reached.has(name)) continue;
    reached.add(name);
    const text = name.endsWith('.ts') ? readFileSync(url, 'utf8') : '';
    for (const [, path = ''] of text.matchAll(/\b(?:from |import |import\()'(\.[^']+)'/g))
      open.push(new URL(path, url));
  }
  return reached;
}

test.each(['main.ts', 'service.ts', 'demo/demo.ts'])(
  '%s does not reach sandbox/faults',
  (start) => {
    const reached = [...reachedFrom(start)];

    expect(reached).toContain('sandbox/wire/server.ts');
    expect(reached.filter((name) => name.startsWith('sandbox/faults/'))).toEqual([]);
  },
);

test('the equipment is reached from the sandbox of tests', () => {
  expect([...reachedFrom('sandbox/faults/sandbox.ts')]).toContain('sandbox/faults/faults.ts');
});

test('a build leaves the equipment out', () => {
  const { exclude } = JSON.parse(
    readFileSync(new URL('../tsconfig.build.json', source), 'utf8'),
  ) as { exclude: string[] };

  expect(exclude).toContain('src/sandbox/faults');
});
