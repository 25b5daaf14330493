/** `winnow completion SHELL`: scripts that complete commands and flags. */
import type { Command, CommandOutcome } from './commands.ts';
import { exits, WrongUse } from './failure.ts';
import { flagOf, type Given } from './flags.ts';
import type { Shell } from './shell.ts';

const scripts: Readonly<Record<string, (commands: readonly Command[]) => string>> = {
  bash,
  zsh,
  fish,
};

export async function printCompletion(
  commands: readonly Command[],
  given: Given,
  shell: Shell,
): Promise<CommandOutcome> {
  const name = given.words[1] ?? '';
  const script = Object.hasOwn(scripts, name) ? scripts[name]?.(commands) : undefined;
  if (script === undefined) throw new WrongUse('winnow completion needs bash, zsh or fish');
  if (!given.has('json')) await shell.print(script);
  return { exit: exits.done, json: { script } };
}

function bash(commands: readonly Command[]): string {
  const cases = commands.map(
    ({ name, flags }) => `    ${name}) words='${flags.map((flag) => `--${flag}`).join(' ')}' ;;`,
  );
  return `# eval "$(winnow completion bash)"
_winnow() {
  local current=\${COMP_WORDS[COMP_CWORD]} words=
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    words='${commands.map(({ name }) => name).join(' ')} --help --version'
  elif [ "\${current#-}" != "$current" ]; then
    case \${COMP_WORDS[1]} in
${cases.join('\n')}
    esac
  else
    return
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _winnow winnow`;
}

function zsh(commands: readonly Command[]): string {
  const plain = (text: string) => text.replaceAll("'", '’').replaceAll(':', ' -');
  const names = commands.map(({ name, summary }) => `    '${name}:${plain(summary)}'`);
  const cases = commands.map(({ name, flags }) => {
    const listed = flags.map((flag) => `'--${flag}:${plain(flagOf(flag).help)}'`);
    return `    ${name}) flags=(${listed.join(' ')}) ;;`;
  });
  return `# eval "$(winnow completion zsh)"
_winnow() {
  local -a commands flags
  commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe 'command' commands
    return
  fi
  case $words[2] in
${cases.join('\n')}
  esac
  if [[ $words[CURRENT] == -* ]]; then
    _describe -o 'flag' flags
  else
    _files
  fi
}
compdef _winnow winnow`;
}

function fish(commands: readonly Command[]): string {
  const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = commands.flatMap(({ name, summary, flags }) => [
    `complete -c winnow -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
    ...flags.map((flag) => {
      const { value, short, help } = flagOf(flag);
      const letter = short ? ` -s ${short}` : '';
      return `complete -c winnow -n '__fish_seen_subcommand_from ${name}' -l ${flag}${letter}${value === null ? '' : ' -r'} -d ${quoted(help)}`;
    }),
  ]);
  return ['# winnow completion fish | source', ...lines].join('\n');
}
