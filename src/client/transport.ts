/** Requests to the server: with the key, cut off in time, sent again where that is safe. */
import { dataOf, type GraphQLAnswer, refusal } from './answers.ts';
import { type Cut, createCut } from './cut.ts';
import { documents } from './documents.ts';
import { ConnectionLost, lost, WinnowError } from './errors.ts';
import { createTries } from './retry.ts';
import type { Settings } from './settings.ts';
import type { Operations } from './wire.ts';

interface Call {
  signal?: AbortSignal | undefined;
  /** True where the same may be sent again: a read, or what has an idempotency key. */
  again?: boolean;
  /** Instead of the client's own. */
  silenceMs?: number;
}

export interface Sent {
  method?: 'POST';
  headers?: Readonly<Record<string, string>>;
  body?: string | Blob | ReadableStream<Uint8Array>;
  /** The mode that fetch asks for where the body is a stream. */
  duplex?: 'half';
}

/** An answer whose body is still to be read. `cut` is to be ended by the reader. */
export interface Opened {
  response: Response;
  cut: Cut;
}

export interface Transport {
  readonly settings: Settings;
  /** Asks one of the client's documents. Throws a WinnowError. */
  ask<Name extends keyof Operations>(
    name: Name,
    variables: Operations[Name]['variables'],
    call: Call,
  ): Promise<Operations[Name]['data']>;
  /** Asks any document. */
  query<Data>(document: string, variables: object, call: Call): Promise<Data>;
  /** A request whose answer is JSON. `sent` makes it, once for each time that it is sent. */
  send<Answer>(path: string, sent: (cut: Cut) => Sent, call: Call): Promise<Answer>;
  /** Sends once, and resolves with the head of a good answer. Throws a WinnowError. */
  open(path: string, sent: (cut: Cut) => Sent, call: Call): Promise<Opened>;
}

export function createTransport(settings: Settings): Transport {
  const { url, apiKey, maxRetries, timeoutMs } = settings;
  const authorization: Record<string, string> =
    apiKey === null ? {} : { authorization: `Bearer ${apiKey}` };

  async function open(
    path: string,
    sent: (cut: Cut) => Sent,
    { signal, silenceMs = timeoutMs }: Call,
  ): Promise<Opened> {
    const cut = createCut({ signal, silenceMs });
    try {
      const { headers, ...rest } = sent(cut);
      const init = { ...rest, headers: { ...authorization, ...headers }, signal: cut.signal };
      const response = await cut.race(settings.fetch(`${url}${path}`, init));
      if (!response.ok) throw await cut.race(refusal(response));
      return { response, cut };
    } catch (error) {
      cut.end();
      throw cut.reason ?? toLost(error, url);
    }
  }

  /** Does the work until it works, or may not be done again. */
  async function repeat<Done>(
    { again = false, signal }: Call,
    work: () => Promise<Done>,
  ): Promise<Done> {
    const tries = createTries(again ? maxRetries : 0, signal);
    for (;;) {
      try {
        return await work();
      } catch (error) {
        await tries.failed(error);
      }
    }
  }

  async function send<Answer>(path: string, sent: (cut: Cut) => Sent, call: Call): Promise<Answer> {
    return await repeat(call, async () => {
      const { response, cut } = await open(path, sent, call);
      return await readJson<Answer>(response, cut, url);
    });
  }

  async function query<Data>(document: string, variables: object, call: Call): Promise<Data> {
    const body = JSON.stringify({ query: document, variables });
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    const sent = () => ({ method: 'POST', headers, body }) as const;
    return await repeat(call, async () => {
      const { response, cut } = await open('/graphql', sent, call);
      return dataOf<Data>(await readJson<GraphQLAnswer>(response, cut, url), response);
    });
  }

  return {
    settings,
    open,
    send,
    query,
    ask: (name, variables, call) => query(documents[name], variables, call),
  };
}

/** The pieces of a body, each of which must come within `silenceMs`. */
export async function* readPieces(
  { response, cut }: Opened,
  { url, silenceMs }: { url: string; silenceMs: number },
): AsyncGenerator<Uint8Array, void> {
  const reader = response.body?.getReader();
  try {
    if (!reader) return;
    for (;;) {
      cut.moved(silenceMs);
      const { done, value } = await cut.race(reader.read());
      cut.pause(); // its reader may take what time it likes
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw cut.reason ?? toLost(error, url);
  } finally {
    cut.end();
  }
}

async function readJson<Answer>(response: Response, cut: Cut, url: string): Promise<Answer> {
  try {
    return (await cut.race(response.json())) as Answer;
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw lost(`${url} did not answer with JSON: is it a Winnow server?`, error);
    }
    throw cut.reason ?? toLost(error, url);
  } finally {
    cut.end();
  }
}

/** The error of fetch says little; its cause says more. */
function toLost(error: unknown, url: string): WinnowError {
  if (error instanceof WinnowError) return error;
  const { cause } = error as { cause?: { code?: unknown; message?: unknown } };
  const reason = cause?.code ?? cause?.message ?? (error as Error).message;
  return new ConnectionLost({
    code: 'CONNECTION_LOST',
    message: `The connection to ${url} failed: ${reason}`,
    cause: error,
  });
}
