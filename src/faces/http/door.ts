/** Who comes in: keys are judged, and those that fail again and again are held off. */
import type { IncomingMessage } from 'node:http';
import type { IsProxy } from '../../config/trusted-proxies.ts';
import type { Log } from '../../core/log.ts';
import type { Telling } from '../../telemetry/events.ts';
import type { Bearer } from './auth.ts';
import { clientAddress } from './client-address.ts';
import { createFailedKeys } from './failed-keys.ts';
import type { Keyring, Refusal } from './keyring.ts';
import { RouteError } from './route-error.ts';

export interface Door {
  /**
   * Who comes with this Authorization header. Throws RouteError 401, or 429 for an address from
   * which too many have failed, and DATABASE_UNAVAILABLE.
   */
  identify(request: IncomingMessage, authorization: string | null | undefined): Promise<Bearer>;
  stop(): void;
}

/** Messages to a client that is not let in; short enough for the end of a WebSocket. */
export const refusals: Readonly<Record<Refusal, string>> = {
  missing: 'This server needs a key: Authorization: Bearer <key>',
  unknown: 'The key is unknown; it must be one of this server',
  ended: 'The key has expired or was revoked',
};

export function createDoor({
  keyring,
  trustedProxies,
  log,
  events,
}: {
  keyring: Keyring;
  trustedProxies: IsProxy | null;
  log: Log;
  events: Telling;
}): Door {
  const failed = createFailedKeys({ log });

  return {
    async identify(request, authorization) {
      const address = clientAddress(request, trustedProxies);
      let leave = null as (() => void) | null;
      try {
        const { bearer, refusal } = await keyring.judge(authorization, {
          async mayLook() {
            leave = await failed.enter(address);
            return leave !== null;
          },
        });
        if (bearer) return bearer;
        events.emit('request.refused', { reason: 'key', owner: null });
        // A page comes without a key first, and asks for one then: nobody tries keys in that way.
        const waitSeconds =
          refusal === 'missing'
            ? failed.waitSeconds(address)
            : failed.note(address, routeOf(request));
        throw waitSeconds === null
          ? new RouteError(401, 'UNAUTHENTICATED', refusals[refusal])
          : tooMany(waitSeconds);
      } finally {
        leave?.();
      }
    },
    stop: () => failed.stop(),
  };
}

function tooMany(retryAfterSeconds: number): RouteError {
  const message = `Too many requests without a right key came from this address; try again in ${retryAfterSeconds} s`;
  return new RouteError(429, 'TOO_MANY_REQUESTS', message, { details: { retryAfterSeconds } });
}

/** The route for the log: plain words of the path, and nothing that could be an id or a secret. */
function routeOf({ method = '', url = '' }: IncomingMessage): string {
  const [path = ''] = url.split('?');
  const words = path
    .slice(0, 100)
    .split('/')
    .map((part) => (/^[a-z_]{0,20}$|^v1$/.test(part) ? part : ':'));
  return `${method} ${words.join('/')}`;
}
