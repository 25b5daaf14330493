/** A stand-in for a collector of traces: it keeps the spans that it is sent, as OTLP's JSON. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A span, as the tests look at it. Times are in seconds since 1970. */
export interface Span {
  name: string;
  traceId: string;
  spanId: string;
  /** Empty of a root. */
  parentSpanId: string;
  /** 1 internal, 2 server, 3 client. */
  kind: number;
  attributes: Record<string, unknown>;
  failed: boolean;
  links: { traceId: string; spanId: string }[];
  state: string;
  beganAt: number;
  endedAt: number;
  resource: Record<string, unknown>;
}

export interface Collector {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  url: string;
  spans: Span[];
  /** Each as its path, its headers and what was sent. */
  requests: { path: string; headers: IncomingMessage['headers']; body: string }[];
  /** All with this name. */
  named(name: string): Span[];
  /** From now on each request is answered so; `hang`: never. */
  answerWith(answer: number | 'hang'): void;
  close(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  const spans: Span[] = [];
  const requests: Collector['requests'] = [];
  let answer: number | 'hang' = 200;
  const server = createServer(async (request, response) => {
    const body = await text(request);
    requests.push({ path: request.url ?? '', headers: request.headers, body });
    if (answer === 'hang') return;
    if (answer === 200 && request.url === '/v1/traces') spans.push(...spansOf(JSON.parse(body)));
    response.writeHead(answer, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    requests,
    named: (name) => spans.filter((span) => span.name === name),
    answerWith(next) {
      answer = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Json = any;

function spansOf({ resourceSpans }: Json): Span[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }: Json) =>
    scopeSpans.flatMap(({ spans }: Json) =>
      spans.map((span: Json) => ({
        name: span.name,
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        kind: span.kind,
        attributes: plain(span.attributes),
        failed: span.status.code === 2,
        links: span.links,
        state: span.traceState ?? '',
        beganAt: Number(span.startTimeUnixNano) / 1e9,
        endedAt: Number(span.endTimeUnixNano) / 1e9,
        resource: plain(resource.attributes),
      })),
    ),
  );
}

function plain(attributes: Json[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(value: Json): unknown {
  const { stringValue, boolValue, doubleValue, intValue, arrayValue } = value;
  if (arrayValue) return arrayValue.values.map(plainValue);
  return stringValue ?? boolValue ?? doubleValue ?? Number(intValue);
}
