/** A command's part of its process: streams, environment, and the wish to end. */
import type { ReadStream, WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import { plain } from './columns.ts';
import { type Ending, listenForEnd } from './ending.ts';
import { ReaderLeft } from './failure.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Shell {
  env: Environment;
  stdin: ReadStream;
  stdout: WriteStream;
  stderr: WriteStream;
  ending: Ending;
  /** Text or bytes on standard output. Throws ReaderLeft. */
  write(piece: string | Uint8Array): Promise<void>;
  /** A line, or several, on standard output. Throws ReaderLeft. */
  print(text: string): Promise<void>;
  /** A line on standard error. */
  tell(text: string): void;
  /** True where somebody can be asked. */
  canAsk: boolean;
}

export function openShell(env: Environment, { stdin, stdout, stderr }: NodeJS.Process): Shell {
  // Told of by each write; without a listener it would end the process.
  stdout.on('error', () => undefined);
  stderr.on('error', () => undefined);
  const write = (piece: string | Uint8Array) =>
    new Promise<void>((resolve, reject) => {
      stdout.write(piece, (error) => {
        if (!error) resolve();
        else reject((error as NodeJS.ErrnoException).code === 'EPIPE' ? new ReaderLeft() : error);
      });
    });
  return {
    env,
    stdin,
    stdout,
    stderr,
    ending: listenForEnd(),
    write,
    print: (text) => write(`${text}\n`),
    tell: (text) => void stderr.write(`${plain(text)}\n`),
    canAsk: Boolean(stdin.isTTY && stderr.isTTY),
  };
}

export type Paint = (style: 'bold' | 'dim' | 'green' | 'red' | 'yellow', text: string) => string;

/** Colours for a terminal that has them and a user who wants them. */
export function painter(stream: Pick<WriteStream, 'isTTY'>, env: Environment): Paint {
  const isPlain = !stream.isTTY || Boolean(env.NO_COLOR) || env.TERM === 'dumb';
  return (style, text) => (isPlain ? text : styleText(style, text, { validateStream: false }));
}
