/** The route of live calls, in the words of whichever API. */
import type { LiveCalls, Spent } from '../../app/live-call.ts';
import type { Log } from '../../core/log.ts';
import type { StreamEvent } from '../../model/model.ts';
import type { Dialect } from '../../model/request.ts';
import { type ApiRoute, sendJson } from './api-routes.ts';
import { presentCall } from './call-failure.ts';
import { sendEvents } from './event-stream.ts';
import { readJsonBody } from './json-body.ts';
import { whenGone } from './when-gone.ts';

/** 25 MB: pictures and documents are in the body. */
export const maxLiveBodyBytes = 26_214_400;

/** The way in which an API asks for an answer, and writes one that comes in pieces. */
export interface LiveWire {
  dialect: Dialect;
  path: RegExp;
  /** Throws a RouteError for what no model would take. */
  check(body: Record<string, unknown>): asserts body is Record<string, unknown> & {
    model: string;
    stream?: boolean | null;
  };
  event(event: StreamEvent): string;
  /** Text behind the last event. */
  last: string;
  /** Text where no event comes for a while. */
  alive: string;
}

export function liveRoute(
  wire: LiveWire,
  { liveCalls, log }: { liveCalls: LiveCalls; log: Log },
): ApiRoute {
  const { dialect, path } = wire;
  return {
    path,
    methods: {
      async POST({ request, response, asking, owner }) {
        const body = await readJsonBody(request, { maxBytes: maxLiveBodyBytes });
        const check: LiveWire['check'] = wire.check;
        check(body);
        // Both packages count what they send again.
        const isAgain = Number(request.headers['x-stainless-retry-count']) > 0;
        const call = { owner, dialect, body, isAgain, asking, signal: whenGone(response) };
        let spent: Spent;
        try {
          if (body.stream) {
            spent = await liveCalls.stream(call, (events) =>
              sendEvents(response, written(events, wire), wire),
            );
            response.end(wire.last);
          } else {
            const answered = await liveCalls.answer(call);
            sendJson(response, answered.json);
            spent = answered.spent;
          }
        } catch (error) {
          throw presentCall(error);
        }
        log.debug({ ...asking, ...spent }, 'a live call was answered');
      },
    },
  };
}

async function* written(
  events: AsyncIterable<StreamEvent>,
  { event: write }: LiveWire,
): AsyncGenerator<string> {
  for await (const event of events) yield write(event);
}
