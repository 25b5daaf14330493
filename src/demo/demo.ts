/**
 * `npm run demo`: the main job from end to end. A Winnow of the demo's own labels real questions,
 * and this program is a client of its public API. It reads process.env, as main.ts does.
 */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { styleText } from 'node:util';
import { cancelUnfinished } from './batch.ts';
import { connectTo } from './client.ts';
import { duration, entry, print } from './columns.ts';
import { type Ending, listenForEnd } from './ending.ts';
import { labelQuestions } from './label-questions.ts';
import { help, type Options, readOptions } from './options.ts';
import { isSandbox } from './report.ts';
import { ownConfig, startOwnWinnow } from './winnow.ts';

const ending = listenForEnd();
try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) print(help.trimEnd());
  else await demo(options, ending);
} catch (error) {
  process.exitCode = 1;
  process.stderr.write(`${messageOf(error)}\n`);
}
// At once, also where a failure has left something open.
process.exit();

async function demo(options: Options, { signal, hurry }: Ending): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const config = ownConfig(process.env, options);
  const model = config.defaultModel;
  const asks = !isSandbox(model) && !options.yes;
  if (asks && !(process.stdin.isTTY && process.stdout.isTTY)) {
    throw new Error(
      `The demo would send requests to ${model}, and cannot ask without a terminal: --yes agrees, --sandbox sends nothing.`,
    );
  }

  const winnow = await startOwnWinnow(config);
  const client = connectTo(winnow.url);
  hurry.addEventListener('abort', () => void winnow.stop({ hurry: true })); // stop never rejects
  try {
    signal.throwIfAborted();
    print(
      `${styleText('bold', 'Winnow')} is up after ${duration(performance.now())}, at ${winnow.url}`,
    );
    print(entry('Model', isSandbox(model) ? `${model}: rules, not a language model` : model));
    await cancelUnfinished(client, signal);
    const labelled = await labelQuestions({ options, asks, model, winnow, client, signal });
    if (labelled && !options.exit) {
      print(styleText('dim', 'The server stays up: Ctrl-C ends it.'));
      if (!signal.aborted) await once(signal, 'abort');
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    if (signal.aborted) print('\nStopping; once more to hurry.');
    await client.close();
    await winnow.stop({ hurry: hurry.aborted });
  }
}

/** The message of an error, and under it those of its causes. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause ? `${error.message}\n  ${messageOf(error.cause)}` : error.message;
}
