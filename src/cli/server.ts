/** Where the server is, and what is told when it goes away. */
import { ConnectionLost, Winnow } from '../client/index.ts';
import { ask } from './ask.ts';
import { Ended, NoServer, WrongUse } from './failure.ts';
import type { Given } from './flags.ts';
import { type LocalWinnow, startLocal } from './local.ts';
import type { Shell } from './shell.ts';

const defaultUrl = 'http://127.0.0.1:4000';
/** A server that is there answers that soon. */
const probeMs = 10_000;
/** With waits of up to 8 s between them: some three minutes. */
const maxTries = 24;

export interface Server {
  winnow: Winnow;
  isLocal: boolean;
  /** Hears that the server went away, and that it is back. Null: standard error. */
  listener: ((sentence: string) => void) | null;
}

/** Finds or starts a server, uses it, and ends one that was started. Throws NoServer. */
export async function withServer<Result>(
  given: Given,
  shell: Shell,
  use: (server: Server) => Promise<Result>,
): Promise<Result> {
  const { url, local } = await findServer(given, shell);
  const server: Server = { winnow: new Winnow(), isLocal: local !== null, listener: null };
  const tell = (sentence: string) => (server.listener ?? shell.tell)(sentence);
  server.winnow = new Winnow({
    url,
    apiKey: local ? (local.apiKey ?? undefined) : shell.env.WINNOW_API_KEY || undefined,
    maxRetries: maxTries,
    fetch: tellingFetch(url, tell),
  });
  const { hurry } = shell.ending;
  hurry.addEventListener('abort', () => void local?.stop({ hurry: true })); // stop never rejects
  try {
    return await use(server);
  } finally {
    await local?.stop({ hurry: hurry.aborted });
  }
}

async function findServer(
  given: Given,
  shell: Shell,
): Promise<{ url: string; local: LocalWinnow | null }> {
  if (given.has('local')) {
    if (given.has('url')) throw new WrongUse('--local and --url exclude each other');
    return await startHere(shell);
  }
  const url = given.text('url') ?? (shell.env.WINNOW_URL || defaultUrl);
  const problem = await probe(url, shell);
  if (problem === null) return { url, local: null };
  if (shell.canAsk && !given.has('json') && !given.has('detach')) {
    shell.tell(problem);
    if (await ask(shell, 'Start a server for this run?')) return await startHere(shell);
  }
  throw new NoServer(
    `${problem}. Start one with \`winnow serve\`, or add --local for one of this run; --url or WINNOW_URL says where one is.`,
  );
}

async function startHere(shell: Shell) {
  const { signal } = shell.ending;
  try {
    const local = await startLocal(shell.env, { tell: shell.tell, signal });
    return { url: local.url, local };
  } catch (error) {
    if (signal.aborted) throw new Ended('Nothing was sent.');
    throw error;
  }
}

/** Null where a Winnow answers. Throws Unauthenticated without its key. */
async function probe(url: string, { env, ending: { signal } }: Shell): Promise<string | null> {
  try {
    const apiKey = env.WINNOW_API_KEY || undefined;
    const winnow = new Winnow({ url, apiKey, maxRetries: 0, timeoutMs: probeMs });
    await winnow.graphql('{ service { version } }', {}, { signal });
    return null;
  } catch (error) {
    if (error instanceof TypeError) throw new WrongUse(error.message);
    if (error instanceof ConnectionLost) return `No Winnow answers at ${url} (${error.message})`;
    throw error;
  }
}

/** Tells once that nothing answers, and once that something does again. */
function tellingFetch(url: string, tell: (sentence: string) => void): typeof fetch {
  let isAway = false;
  return async (input, init) => {
    try {
      const response = await fetch(input, init);
      if (isAway) tell(`${url} answers again.`);
      isAway = false;
      return response;
    } catch (error) {
      if (!isAway && !init?.signal?.aborted) {
        isAway = true;
        tell(`${url} does not answer; waiting for it.`);
      }
      throw error;
    }
  };
}
