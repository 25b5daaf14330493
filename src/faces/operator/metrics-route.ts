/** `GET /metrics`: to whom its port shows it. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { nothingAt } from '../http/missing-path.ts';
import { RouteError } from '../http/route-error.ts';
import { type OperatorRoute, sendText } from './routes.ts';

/** https://prometheus.io/docs/instrumenting/exposition_formats/#basic-info */
const contentType = 'text/plain; version=0.0.4; charset=utf-8';
const path = '/metrics';

/**
 * `token` null: no token is asked for, and the route is there while `isShown` says so. Behind a
 * proxy every caller looks like this machine, so a server with keys shows nothing without a token.
 */
export function metricsRoute({
  text,
  token,
  isShown,
}: {
  text: () => Promise<string>;
  token: string | null;
  isShown: () => boolean;
}): OperatorRoute {
  const wanted = token === null ? null : hash(token);
  let next: Promise<string> | null = null;

  /** Those who ask together get one text, which is made after each of them has asked. */
  async function makeText(): Promise<string> {
    await setImmediate();
    next = null;
    return await text();
  }

  return {
    path,
    async answer(request, response) {
      if (wanted === null && !isShown()) throw nothingAt(path, {});
      if (wanted !== null && !isFrom(request, wanted)) {
        const needed = 'The metrics need Authorization: Bearer and the value of METRICS_TOKEN';
        throw new RouteError(401, 'UNAUTHENTICATED', needed);
      }
      next ??= makeText();
      sendText(request, response, { status: 200, type: contentType, body: await next });
    },
  };
}

function isFrom({ headers }: IncomingMessage, wanted: Buffer): boolean {
  const [, given] = /^Bearer (\S{1,512})$/i.exec(headers.authorization ?? '') ?? [];
  // By hashes, which have one length, so that the time tells nothing.
  return given !== undefined && timingSafeEqual(hash(given), wanted);
}

function hash(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
