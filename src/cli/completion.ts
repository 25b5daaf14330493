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

export const shellNames: readonly string[] = Object.keys(scripts);

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
  const firsts = withFirstWords(commands).map(
    ({ name, firstWords }) => `    ${name}) words='${firstWords.join(' ')}' ;;`,
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
  elif [ "$COMP_CWORD" = 2 ]; then
    case \${COMP_WORDS[1]} in
${firsts.join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _winnow winnow`;
}

function zsh(commands: readonly Command[]): string {
  const plain = (text: string) => text.replaceAll("'", '’').replaceAll(':', ' -');
  const names = commands.map(({ name, summary }) => `    '${name}:${plain(summary)}'`);
  const cases = commands.map(({ name, flags, firstWords }) => {
    const listed = flags.map((flag) => `'--${flag}:${plain(flagOf(flag).help)}'`);
    const firsts = firstWords ? ` firsts=(${firstWords.join(' ')})` : '';
    return `    ${name}) flags=(${listed.join(' ')})${firsts} ;;`;
  });
  return `# eval "$(winnow completion zsh)"
_winnow() {
  local -a commands flags firsts
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
  elif (( CURRENT == 3 && $#firsts )); then
    compadd -- $firsts
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
  const firsts = withFirstWords(commands).map(({ name, firstWords }) => {
    const words = firstWords.join(' ');
    return `complete -c winnow -n '__fish_seen_subcommand_from ${name}; and not __fish_seen_subcommand_from ${words}' -f -a '${words}'`;
  });
  return ['# winnow completion fish | source', ...lines, ...firsts].join('\n');
}

function withFirstWords(commands: readonly Command[]) {
  return commands.flatMap(({ name, firstWords }) => (firstWords ? [{ name, firstWords }] : []));
}
