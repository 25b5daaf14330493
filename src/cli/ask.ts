/** Questions on the terminal. */
import { createInterface } from 'node:readline/promises';
import type { Shell } from './shell.ts';

/** Only yes is consent. Throws the reason of an aborted signal. */
export async function ask(
  { stdin, stderr, ending: { signal } }: Pick<Shell, 'stdin' | 'stderr' | 'ending'>,
  question: string,
): Promise<boolean> {
  signal.throwIfAborted();
  const lines = createInterface({ input: stdin, output: stderr });
  const closed = new Promise<null>((resolve) => lines.once('close', () => resolve(null)));
  // On a terminal readline takes Ctrl-C for itself.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    const answer = await Promise.race([lines.question(`${question} y/N `, { signal }), closed]);
    return /^y(es)?$/i.test(answer?.trim() ?? '');
  } finally {
    lines.close();
  }
}
