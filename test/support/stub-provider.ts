/**
 * A scripted provider on loopback: records every request and replies as it is told, well or badly.
 */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface StubRequest {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: any;
  /** The body as it came. */
  text: string;
  /** Resolves when the connection that it came on is closed. */
  closed: Promise<void>;
}

export interface StubReply {
  status?: number;
  headers?: Record<string, string>;
  /** Sent as it is when a string or a Buffer, else as JSON. */
  body?: unknown;
  /**
   * `headers`: nothing is ever sent. `body`: headers and half of the body, then nothing. `trickle`:
   * one byte every 10 ms. `reset`: the connection is destroyed before the headers. `reset-body`:
   * after half of the body.
   */
  fault?: 'headers' | 'body' | 'trickle' | 'reset' | 'reset-body';
  /** Sent without content-length. */
  chunked?: boolean;
  /** Nothing is done before this resolves. */
  after?: Promise<void>;
  /** Milliseconds before the reply. */
  delayMs?: number;
}

export interface StubProvider {
  /** With /v1. */
  readonly url: string;
  readonly origin: string;
  readonly requests: StubRequest[];
  /** What GET /models lists; null answers it with 404. Such questions are no `requests`. */
  models: readonly string[] | null;
  /** How often GET /models was asked. */
  readonly listed: number;
  /** Connections open now. */
  readonly openSockets: number;
  /** Connections accepted in all. */
  readonly acceptedSockets: number;
  /** Resolves when `count` requests have arrived in all. */
  received(count: number): Promise<void>;
  /**
   * What each request from now on is answered with, until the next call. A list is used up first to
   * last, its last for ever.
   */
  reply(...replies: (StubReply | ((request: StubRequest) => StubReply))[]): void;
  close(): Promise<void>;
}

/** A complete chat completion. */
export function completion(
  content: unknown,
  {
    finish = 'stop',
    usage = { prompt_tokens: 10, completion_tokens: 5 },
    ...message
  }: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    model: 'stub',
    choices: [
      { index: 0, finish_reason: finish, message: { role: 'assistant', content, ...message } },
    ],
    usage,
  };
}

/** An error in OpenAI's shape. */
export function refusal(
  status: number,
  error: Record<string, unknown>,
  headers: Record<string, string> = {},
): StubReply {
  return {
    status,
    headers,
    body: { error: { message: 'no', type: null, param: null, code: null, ...error } },
  };
}

/** The first calls are answered at once; those behind them, with `held`, when `letGo` is called. */
export function answerFirst(
  stub: Pick<StubProvider, 'reply'>,
  count: number,
  first: StubReply,
  held = first,
): { letGo: () => void } {
  let letGo = () => {};
  const after = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let calls = 0;
  stub.reply(() => {
    calls += 1;
    return calls <= count ? first : { ...held, after };
  });
  return { letGo };
}

export async function startStubProvider(): Promise<StubProvider> {
  const requests: StubRequest[] = [];
  const sockets = new Set<Socket>();
  const closed = new WeakMap<Socket, Promise<void>>();
  const waiting = new Set<() => void>();
  let accepted = 0;
  let models: readonly string[] | null = null;
  let listed = 0;
  let script: (StubReply | ((request: StubRequest) => StubReply))[] = [{ body: completion('ok') }];
  const changed = () => {
    for (const check of [...waiting]) check();
  };
  const when = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (!condition()) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
    });

  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      if (incoming.method === 'GET' && incoming.url?.endsWith('/models')) {
        listed += 1;
        const data = models?.map((id) => ({ id, object: 'model' }));
        send(response, data ? { body: { object: 'list', data } } : refusal(404, {}));
        return;
      }
      const text = Buffer.concat(chunks).toString();
      const request: StubRequest = {
        method: incoming.method ?? '',
        url: incoming.url ?? '',
        headers: incoming.headers,
        body: text === '' ? null : JSON.parse(text),
        text,
        closed: closed.get(incoming.socket) ?? Promise.resolve(),
      };
      requests.push(request);
      const next = script.length > 1 ? script.shift() : script[0];
      const reply = typeof next === 'function' ? next(request) : (next ?? {});
      changed();
      const answer = () => {
        if (reply.delayMs) setTimeout(() => send(response, reply), reply.delayMs);
        else send(response, reply);
      };
      if (reply.after) void reply.after.then(answer);
      else answer();
    });
  });
  server.on('connection', (socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('error', () => {}); // Aborted calls reset their connection.
    closed.set(
      socket,
      new Promise((resolve) => {
        socket.on('close', () => {
          sockets.delete(socket);
          resolve();
        });
      }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;

  return {
    url: `${origin}/v1`,
    origin,
    requests,
    get models() {
      return models;
    },
    set models(names) {
      models = names;
    },
    get listed() {
      return listed;
    },
    get openSockets() {
      return sockets.size;
    },
    get acceptedSockets() {
      return accepted;
    },
    received: (count) => when(() => requests.length >= count),
    reply(...replies) {
      script = [...replies];
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function send(response: ServerResponse, reply: StubReply): void {
  const { status = 200, headers = {}, body = completion('ok'), fault } = reply;
  if (fault === 'headers') return;
  if (fault === 'reset') {
    response.socket?.destroy();
    return;
  }
  const bytes =
    Buffer.isBuffer(body) || typeof body === 'string'
      ? Buffer.from(body)
      : Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(reply.chunked ? undefined : { 'content-length': String(bytes.length) }),
    ...headers,
  });
  switch (fault) {
    case undefined:
      response.end(bytes);
      return;
    case 'body':
      response.write(bytes.subarray(0, bytes.length / 2));
      return;
    case 'reset-body':
      response.write(bytes.subarray(0, bytes.length / 2), () => response.socket?.destroy());
      return;
    case 'trickle': {
      let at = 0;
      const timer = setInterval(() => {
        response.write(bytes.subarray(at, at + 1));
        at += 1;
        if (at === bytes.length) response.end();
        if (at === bytes.length) clearInterval(timer);
      }, 10);
      response.on('close', () => clearInterval(timer));
      return;
    }
    default:
      fault satisfies never;
  }
}
