import pino, { type Logger } from 'pino';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** Where a secret could stand in an object that somebody logs. Values are never logged in messages. */
const secretPaths = [
  'apiKey',
  '*.apiKey',
  'authorization',
  '*.authorization',
  '*.headers.authorization',
];

/** JSON lines on standard error, so that standard output stays for what a command prints; readable lines on a terminal. */
export function createLog(level: string): Logger {
  const options = {
    level,
    base: null,
    redact: secretPaths,
    serializers: { err: withoutParameters },
  };
  return process.stderr.isTTY
    ? pino({
        ...options,
        transport: { target: 'pino-pretty', options: { destination: 2, ignore: 'pid,hostname' } },
      })
    : pino(options, pino.destination(2));
}

/** A failed statement quotes its parameters, and these hold rows. */
function withoutParameters(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const {
    query: _query,
    params: _params,
    parameters: _parameters,
    args: _args,
    ...shown
  } = pino.stdSerializers.err(error) as Record<string, unknown>;
  const cut = (text: unknown) =>
    typeof text === 'string'
      ? text.replace(/\nparams: [\s\S]*?(?=\n {4}at |$)/, '\nparams: …')
      : text;
  return { ...shown, message: cut(shown.message), stack: cut(shown.stack) };
}
