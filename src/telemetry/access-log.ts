/** A line of the log for each request, without its query string and its headers. */
import type { EventLog, Events } from './events.ts';

/** Also for each operation over a socket, whose method is `WS`. */
export function logRequests(events: Pick<Events, 'on'>, log: Pick<EventLog, 'info'>): void {
  events.on('http.request', ({ method, route, statusCode, seconds, ...request }) => {
    const { bytesIn, bytesOut, address, asking } = request;
    const { path: _, ...asked } = asking;
    const status = statusCode;
    log.info(
      { method, route, ...asked, status, ms: toMs(seconds), bytesIn, bytesOut, address },
      'request',
    );
  });
  events.on('graphql.operation', ({ socket, outcome, seconds }) => {
    if (socket === null) return;
    const { path: _, ...asked } = socket;
    log.info({ method: 'WS', route: '/graphql', ...asked, outcome, ms: toMs(seconds) }, 'request');
  });
}

function toMs(seconds: number): number {
  return Math.round(seconds * 10_000) / 10;
}
