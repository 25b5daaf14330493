/** What the server and a face are to each other: a face is one way into Winnow. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Asking } from '../../core/log.ts';
import type { Authenticate } from './auth.ts';
import type { RouteError } from './route-error.ts';

/** A request, most often one that the server has let in. */
interface Visit {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  /** What the log says of the request. */
  asking: Asking;
  /** The owner whom the key of the request stands for; null where it stands for nobody. */
  identify(): string | null;
  /** The same. Throws RouteError 401 where it stands for nobody. */
  ownerOf(): string;
}

interface Route {
  matches(visit: Pick<Visit, 'request' | 'url'>): boolean;
  /** A RouteError that it throws is the answer. */
  answer(visit: Visit): Promise<void>;
  /** Tells a client who is not let in of the reason; absent, where it reads what all routes say. */
  refuse?(visit: Pick<Visit, 'request' | 'response'>, reason: RouteError): void;
}

/** Who may come in. */
export interface Door {
  authenticate: Authenticate;
  trusts(request: IncomingMessage): boolean;
}

export interface Face {
  /** In the order in which they are asked. */
  routes: readonly Route[];
  /** Called once the server listens, for what takes the place of HTTP on its port. */
  attach?(http: Server, door: Door): void;
  /** Ends what would go on for ever. The server takes nothing new by then. */
  close?(): Promise<void>;
}
