/** `winnow healthcheck`: the file that containers run, as a command. */
import type { CommandOutcome } from './commands.ts';
import { exits } from './failure.ts';
import type { Given } from './flags.ts';
import { findUnready, readEnvironment } from './healthcheck.ts';
import type { Shell } from './shell.ts';

/** Exits 0 where all ports of the process are ready, else 1, and says what is not. */
export async function healthcheck(given: Given, shell: Shell): Promise<CommandOutcome> {
  const reason = await findUnready(readEnvironment());
  if (reason !== null && !given.has('json')) shell.tell(reason);
  const exit = reason === null ? exits.done : exits.failed;
  return { exit, json: { ready: reason === null, reason } };
}
