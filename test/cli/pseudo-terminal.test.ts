/** The command on a terminal: the line redrawn in place, questions, Ctrl-C. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type App, startApp } from '../support/app.ts';
import { until } from '../support/until.ts';
import { type Folder, openFolder, program } from './support.ts';

/** That of util-linux: the one of other systems takes other arguments. */
const hasScript = spawnSync('script', ['--version']).stdout?.toString().includes('util-linux');
/** With a group, so that a split keeps them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const escapes = /(\u001b\[\d*[A-Za-z])/g;
const rows = 60;
const args = 'label rows.txt --categories praise,complaint';

describe.skipIf(!hasScript)('on a terminal', () => {
  let app: App;
  let folder: Folder;
  beforeAll(async () => {
    app = await startApp({ WORKER_CONCURRENCY: '2' });
    folder = openFolder();
    const texts = Array.from({ length: rows }, (_, at) => `I love it, ${at}\n`);
    writeFileSync(folder.file('rows.txt'), texts.join(''));
  });
  afterEach(() => app.sandbox.faults.clear());
  afterAll(async () => {
    folder.remove();
    await app.stop();
  });

  /** Standard input, output and errors are one pseudo-terminal. */
  function start(command: string, env: Record<string, string> = {}) {
    const line = `"${process.execPath}" "${program}" ${command}`;
    const child = spawn('script', ['-qefc', line, '/dev/null'], {
      cwd: folder.path,
      env: { PATH: process.env.PATH, WINNOW_URL: app.url, TERM: 'xterm', SHELL: '/bin/sh', ...env },
    });
    let shown = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
    });
    return {
      type: (text: string) => child.stdin.write(text),
      get shown() {
        return shown;
      },
      says: (what: string) =>
        until(() => shown.includes(what), { deadlineMs: 10_000, what: `${what} in ${shown}` }),
      ended: once(child, 'close').then(([code]) => code as number),
    };
  }

  it('asks what it may cost, redraws its line in place, and shows the first ten answers', async () => {
    app.sandbox.faults.add({ fault: { kind: 'latency', ms: 20 } });
    const terminal = start(args);
    await terminal.says('Send them? y/N ');
    terminal.type('y\r');

    expect(await terminal.ended, terminal.shown).toBe(0);
    const { lines, redrawn } = screenOf(terminal.shown);
    expect(redrawn).toBeGreaterThan(1);
    const last = lines.findIndex((line) => line.startsWith('100 %'));
    expect(lines[last]).toMatch(/^100 % {2}█{14} {3}60 of 60/);
    expect(lines[last + 1]).toMatch(/^completed: 60 of 60 rows answered/);
    expect(lines[last + 2]).toMatch(/^id +text +answer$/);
    expect(lines.slice(last + 3)).toHaveLength(10 + 1);
    expect(lines.at(-1)).toBe('');
  });

  it('sends nothing without a yes', async () => {
    const sent = app.sandbox.requests.count;
    const terminal = start(`${args} --name refused`);
    await terminal.says('Send them? y/N ');
    terminal.type('n\r');

    expect(await terminal.ended).toBe(2);
    expect(terminal.shown).toContain('Nothing was sent.');
    expect(app.sandbox.requests.count).toBe(sent);
  });

  it('leaves the cursor at the beginning of a line after Ctrl-C, and no colour with NO_COLOR', async () => {
    app.sandbox.faults.add({ fault: { kind: 'latency', ms: 300 } });
    const terminal = start(`${args} --yes --name left`, { NO_COLOR: '1' });
    await terminal.says(' of 60');
    terminal.type('\u0003');

    expect(await terminal.ended).toBe(130);
    const { lines } = screenOf(terminal.shown);
    const at = lines.findIndex((line) => / goes on; winnow show /.test(line));
    expect(lines[at]).toMatch(/^batch_\w+ goes on/);
    expect(lines[at - 1]).toMatch(/^ *\d+ % .* of 60/);
    expect(lines.at(-1)).toBe('');
    expect(terminal.shown.match(escapes)?.filter((one) => one !== '\u001b[K')).toEqual([]);
  });

  it('offers to start a server where none is, and does not insist', async () => {
    const terminal = start('models', { WINNOW_URL: 'http://127.0.0.1:9' });
    await terminal.says('Start a server for this run? y/N ');
    terminal.type('n\r');

    expect(await terminal.ended).toBe(3);
    expect(terminal.shown).toContain('--local');
  });
});

/** What stands on the screen at the end, and how often a line was drawn over itself. */
function screenOf(written: string): { lines: string[]; redrawn: number } {
  const lines = [''];
  let column = 0;
  let redrawn = 0;
  const pieces = written
    .split(escapes)
    .flatMap((part) => (part.startsWith('\u001b') ? [part] : [...part]));
  for (const [at, piece] of pieces.entries()) {
    const line = lines.at(-1) ?? '';
    if (piece === '\n') lines.push('');
    else if (piece === '\r') {
      column = 0;
      if (pieces[at + 1] !== '\n') redrawn += 1;
      continue;
    } else if (piece === '\u001b[K') lines[lines.length - 1] = line.slice(0, column);
    else if (!piece.startsWith('\u001b')) {
      lines[lines.length - 1] = line.slice(0, column) + piece + line.slice(column + 1);
      column += 1;
      continue;
    } else continue;
    if (piece === '\n') column = 0;
  }
  return { lines, redrawn };
}
