/** The program of the command: arguments in, one exit code out. */
import { nearest } from '../core/nearest.ts';
import { version } from '../core/version.ts';
import { type Command, commands } from './commands.ts';
import { Ended, exits, ReaderLeft, tellOf, WrongUse } from './failure.ts';
import { type Given, readArguments, wordsOf } from './flags.ts';
import { commandHelp, generalHelp } from './help.ts';
import { openShell, type Shell } from './shell.ts';

const args = process.argv.slice(2);
// A server takes signals by itself.
if (args[0] === 'serve' && args.length === 1) await import('../main.ts');
else await endWith(await main(args, openShell(process.env, process)));

async function main(args: readonly string[], shell: Shell): Promise<number> {
  const isJson = args.includes('--json');
  try {
    const { exit, json } = await perform(args, shell);
    if (isJson) await shell.print(JSON.stringify(json));
    return exit;
  } catch (thrown) {
    if (thrown instanceof ReaderLeft) return exits.done;
    const { exit, error, batch } = tellOf(thrown);
    if (isJson) {
      const told = batch ? { error, batch, output: null } : { error };
      await shell.print(JSON.stringify(told)).catch(() => undefined); // its reader has left
    } else if (!(thrown instanceof Ended && thrown.isTold)) {
      shell.tell(error.message);
      for (const { path, message } of error.issues) {
        if (!error.message.includes(message)) shell.tell(`  ${path}: ${message}`);
      }
    }
    return exit;
  }
}

async function perform(args: readonly string[], shell: Shell) {
  const [name] = wordsOf(args);
  const command = commands.find((one) => one.name === name);
  if (name === undefined || name === 'help') return await performPlain(args, shell);
  if (!command) throw unknown(name);
  const given = readArguments(args, command.flags);
  if (given.has('help')) return await tellText(shell, given, 'help', commandHelp(command));
  const allowed = 1 + command.words.split(' ').filter(Boolean).length;
  const [extra] = given.words.slice(allowed);
  if (extra !== undefined) throw new WrongUse(`winnow ${name} takes no further word: ${extra}`);
  return await command.run(given, shell);
}

/** Without a command: help and version. */
async function performPlain(args: readonly string[], shell: Shell) {
  const given = readArguments(args, ['help', 'version', 'json']);
  if (given.has('version')) return await tellText(shell, given, 'version', version);
  const [, about] = given.words;
  const command = commands.find((one) => one.name === about);
  if (about !== undefined && !command) throw unknown(about);
  return await tellText(
    shell,
    given,
    'help',
    command ? commandHelp(command) : generalHelp(commands),
  );
}

async function tellText(shell: Shell, given: Given, name: string, text: string) {
  if (!given.has('json')) await shell.print(text);
  return { exit: exits.done, json: { [name]: text } };
}

function unknown(name: string): WrongUse {
  const near = nearest(
    name,
    commands.map((one: Command) => one.name),
  );
  return new WrongUse(
    `Unknown command ${name}. ${near ? `Did you mean ${near}?` : 'winnow --help lists all.'}`,
  );
}

/** At once, also where a failure has left something open. */
async function endWith(code: number): Promise<never> {
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  process.exit(code);
}
