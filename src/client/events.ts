/** Subscriptions as async iterators that outlive the connection and the server. */
import { dataOf, type GraphQLAnswer } from './answers.ts';
import { documents } from './documents.ts';
import { lost } from './errors.ts';
import { createTries } from './retry.ts';
import { readSocket } from './socket-events.ts';
import { readPieces, type Transport } from './transport.ts';
import type { Operations } from './wire.ts';

type Subscription = 'BatchProgress' | 'BatchResults';

/** The server sends a sign of life every 12 s. */
const silenceMs = 40_000;

/**
 * Events until the stream completes. A stream that breaks off is begun again with what `variables`
 * gives then; tries in a row without an event are counted. Throws a WinnowError.
 */
export async function* follow<Name extends Subscription>(
  transport: Transport,
  name: Name,
  variables: () => Operations[Name]['variables'],
  signal?: AbortSignal,
): AsyncGenerator<Operations[Name]['data'], void> {
  const tries = createTries(transport.settings.maxStreamRetries, signal);
  for (;;) {
    try {
      const payload = { query: documents[name], variables: variables() };
      for await (const answer of readAnswers(transport, payload, signal)) {
        const data = dataOf<Operations[Name]['data']>(answer);
        tries.worked();
        yield data;
      }
      return;
    } catch (error) {
      await tries.failed(error);
    }
  }
}

function readAnswers(
  transport: Transport,
  payload: { query: string; variables: Record<string, unknown> },
  signal?: AbortSignal,
): AsyncIterable<GraphQLAnswer> {
  const { subscribe } = transport.settings;
  return subscribe
    ? readSocket(subscribe, payload, signal)
    : readStream(transport, JSON.stringify(payload), signal);
}

/** https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverSSE.md */
async function* readStream(
  transport: Transport,
  body: string,
  signal?: AbortSignal,
): AsyncGenerator<GraphQLAnswer, void> {
  const headers = { 'content-type': 'application/json', accept: 'text/event-stream' };
  const { url } = transport.settings;
  const sent = () => ({ method: 'POST', headers, body }) as const;
  const pieces = readPieces(await transport.open('/graphql', sent, { signal }), { url, silenceMs });
  for await (const { event, data } of readEvents(pieces)) {
    if (event === 'complete') return;
    if (event === 'next' && data !== '') yield JSON.parse(data) as GraphQLAnswer;
  }
  throw lost('The stream of events broke off');
}

/** https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */
async function* readEvents(
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ event: string; data: string }, void> {
  const decoder = new TextDecoder();
  let rest = '';
  let event = 'message';
  let data: string[] = [];
  for await (const piece of pieces) {
    rest += decoder.decode(piece, { stream: true });
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield { event, data: data.join('\n') };
        event = 'message';
        data = [];
      } else {
        const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
        if (field === 'event') event = value;
        if (field === 'data') data.push(value);
      }
    }
  }
}
