/**
 * What the guides say: costs as the program prints them, servers as the configuration takes them.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { nodeEnv, nodeFlags } from '../support/from-source.ts';

const guide = (name: string) =>
  readFileSync(new URL(`../../docs/guides/${name}.md`, import.meta.url), 'utf8');
const program = fileURLToPath(new URL('../../src/demo/costs.ts', import.meta.url));

/** A price of the table in USD. */
const usd = (cell: string | undefined) => Number(cell?.trim().slice(1));

describe('npm run costs', () => {
  it('prints the table that the guide shows, in which the provider’s batch API is half the price', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [...nodeFlags, program], {
      env: { ...nodeEnv, PATH: process.env.PATH },
    });

    expect(guide('half-price')).toContain(stdout);
    const rows = stdout.split('\n').filter((line) => line.startsWith('| `openai/'));
    const more = stdout.split('\n').filter((line) => line.startsWith('| `anthropic/'));
    expect(Math.min(rows.length, more.length)).toBeGreaterThan(2);
    for (const row of [...rows, ...more]) {
      const [, , , , live, cached, batch] = row.split('|');
      // Both are rounded to a cent.
      expect(Math.abs(usd(batch) - usd(live) / 2)).toBeLessThan(0.0101);
      if (cached?.trim()) expect(usd(cached)).toBeLessThan(usd(live));
    }
  });
});

describe('the table of servers in docs/guides/providers.md', () => {
  const settings = guide('providers')
    .split('\n')
    .flatMap(
      (line) =>
        /^\| ([\w ]+) \| `((?:OPENAI_BASE_URL|PROVIDERS)=.*?)` \| `(.+?)` \|/.exec(line) ?? [],
    )
    .filter((_part, at) => at % 4 !== 0);
  const servers = Array.from({ length: settings.length / 3 }, (_, at) =>
    settings.slice(at * 3, at * 3 + 3),
  );

  it('has Azure, vLLM, Ollama, Groq and Together', () => {
    expect(servers.map(([name]) => name)).toEqual([
      'Azure OpenAI',
      'vLLM',
      'Ollama',
      'Groq',
      'Together',
    ]);
  });

  it.each(servers)('says of %s what the configuration takes', (_name, assignments, model) => {
    const env = Object.fromEntries(
      [...(assignments ?? '').matchAll(/(\w+)=(?:'([^']*)'|(\S+))/g)].map(
        ([, name, quoted, bare]) => [name ?? '', quoted ?? bare],
      ),
    );
    const keys = [...(env.PROVIDERS ?? '').matchAll(/"apiKeyEnv": "(\w+)"/g)];
    const { providers } = readConfig({
      ...env,
      ...Object.fromEntries(keys.map(([, name]) => [name ?? '', 'secret'])),
    });

    const provider = providers.find(({ name }) => model?.startsWith(`${name}/`));
    expect(assignments).toContain(provider?.baseUrl ?? 'no such provider');
    expect(provider?.apiKey ?? null).toBe(keys.length > 0 ? 'secret' : null);
  });
});
