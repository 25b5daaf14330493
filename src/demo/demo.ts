/**
 * `npm run demo`: the main job from end to end. A Winnow of the demo's own labels real questions,
 * and this program is a client of its public API. It reads process.env, as main.ts does.
 */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { styleText } from 'node:util';
import { duration } from '../cli/columns.ts';
import { isSandbox } from '../cli/estimate.ts';
import { openShell, type Shell } from '../cli/shell.ts';
import { Winnow } from '../client/index.ts';
import { labelQuestions } from './label-questions.ts';
import { entry, print } from './lines.ts';
import { help, type Options, readOptions } from './options.ts';
import { ownConfig, startOwnWinnow } from './winnow.ts';

const shell = openShell(process.env, process);
// The reader of the output is gone, as in `npm run demo | head`.
process.stdout.on('error', () => shell.ending.end());
try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) print(help.trimEnd());
  else await demo(options, shell);
} catch (error) {
  process.exitCode = 1;
  process.stderr.write(`${messageOf(error)}\n`);
}
// At once, also where a failure has left something open.
process.exit();

async function demo(options: Options, shell: Shell): Promise<void> {
  const { signal, hurry } = shell.ending;
  if (process.env.NODE_ENV !== 'production' && existsSync('.env')) process.loadEnvFile('.env');
  const config = ownConfig(process.env, options);
  const model = config.defaultModel;
  const asks = !isSandbox(model) && !options.yes;
  if (asks && !shell.canAsk) {
    throw new Error(
      `The demo would send requests to ${model}, and cannot ask without a terminal: --yes agrees, --sandbox sends nothing.`,
    );
  }

  const own = await startOwnWinnow(config);
  const winnow = new Winnow({ url: own.url });
  hurry.addEventListener('abort', () => void own.stop({ hurry: true })); // stop never rejects
  try {
    signal.throwIfAborted();
    print(
      `${styleText('bold', 'Winnow')} is up after ${duration(performance.now())}, at ${own.url}`,
    );
    print(entry('Model', isSandbox(model) ? `${model}: rules, not a language model` : model));
    await cancelUnfinished(winnow, signal);
    const labelled = await labelQuestions({ options, asks, model, own, winnow, shell });
    if (labelled && !options.exit) {
      print(styleText('dim', 'The server stays up: Ctrl-C ends it.'));
      if (!signal.aborted) await once(signal, 'abort');
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    if (signal.aborted) print('\nStopping; once more to hurry.');
    await own.stop({ hurry: hurry.aborted });
  }
}

/** Cancels the batches of a killed run: they must not run, and cost money, beside a new one. */
async function cancelUnfinished(winnow: Winnow, signal: AbortSignal): Promise<void> {
  const status = ['draft', 'queued', 'processing', 'paused'] as const;
  for await (const batch of winnow.batches.list({ status, signal })) await batch.cancel();
}

/** The message of an error, and under it those of its causes. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause ? `${error.message}\n  ${messageOf(error.cause)}` : error.message;
}
