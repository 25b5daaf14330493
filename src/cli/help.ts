/** Help texts, made of the list of commands. */
import type { Command } from './commands.ts';
import { type FlagName, flagOf } from './flags.ts';

const flagColumns = 26;

export function generalHelp(commands: readonly Command[]): string {
  const heads = commands.map(({ name, words }) => `${name} ${words}`.trim());
  const columns = Math.max(...heads.map(({ length }) => length)) + 2;
  return [
    'Runs language-model operations over files, on a Winnow server or on one of its own.',
    '',
    'Usage: winnow COMMAND [FILE or ID] [flags]',
    '',
    ...commands.map(({ summary }, at) => `  ${(heads[at] ?? '').padEnd(columns)}${summary}`),
    '',
    'winnow COMMAND --help has the flags of a command; winnow --version has the version.',
    'The server is the one of --url, of WINNOW_URL, else http://127.0.0.1:4000; --local starts one.',
    'Its key is WINNOW_API_KEY.',
    '',
    'Exit codes: 0 done, 1 failed, 2 used wrongly, 3 no server, 4 no key, 5 rows failed, 6 paused,',
    '130 Ctrl-C.',
  ].join('\n');
}

export function commandHelp({ name, words, summary, example, flags }: Command): string {
  return [
    `winnow ${name}${words === '' ? '' : ` ${words}`}: ${summary}`,
    ...(words.endsWith('FILE') ? ['FILE may be -, which is standard input.'] : []),
    '',
    ...flags.map(flagLine),
    '',
    'Example',
    `  ${example}`,
  ].join('\n');
}

function flagLine(name: FlagName): string {
  const { value, short, help } = flagOf(name);
  const written = `${short ? `-${short}, ` : ''}--${name}${value === null ? '' : ` ${value}`}`;
  return `  ${written.padEnd(flagColumns)} ${help}`;
}
