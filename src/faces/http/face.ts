/** The contract between the server and a face: a face is one way into Winnow. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Asking } from '../../core/log.ts';
import type { Bearer } from './auth.ts';
import type { Door } from './door.ts';
import type { Keyring } from './keyring.ts';
import type { RouteError, WordFailure } from './route-error.ts';

/** A request, most often one that the server has let in. */
export interface Visit {
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
  /** The log's words on the request. */
  asking: Asking;
  /**
   * Who asks, by the key of the request, whatever it may do. Throws RouteError 401 or 429 where it
   * stands for nobody.
   */
  identify(): Promise<Bearer>;
  /**
   * The owner, whose key has READ for a GET, else SUBMIT. Throws AppError FORBIDDEN where it lacks
   * that, and as `identify` does.
   */
  ownerOf(): Promise<string>;
}

export interface Route {
  matches(visit: Pick<Visit, 'request' | 'url'>): boolean;
  /** Answers also while the process ends, when all others answer 503. */
  untilExit?: boolean;
  /** A RouteError that it throws is the answer. */
  answer(visit: Visit): Promise<void>;
  /** Tells a client who is not let in of the reason; absent, where it reads what all routes say. */
  refuse?(visit: Pick<Visit, 'request' | 'response' | 'asking'>, reason: RouteError): void;
}

/** Who may come in, for what takes the place of HTTP. */
export interface Entrance {
  door: Door;
  keyring: Pick<Keyring, 'watch' | 'noteUse'>;
  trusts(request: IncomingMessage): boolean;
  /** The address by which a client reached the server. */
  originOf(request: IncomingMessage): string;
}

/** The way to answer requests in the dialect of one API, whatever becomes of them. */
export interface Manner {
  /** Also of requests that no route matches, or that are refused before a route is looked for. */
  covers(request: IncomingMessage): boolean;
  /** Where clients of this API look for the id of a request, if not in x-request-id. */
  requestIdHeader?: string;
  /** Begins the ids of requests. */
  requestIdPrefix: string;
  word: WordFailure;
  /** Writes the body of a failure into a stream of events that has begun. */
  wordLate(body: object): string;
}

export interface Face {
  /** Absent: failures are worded as RouteError words them. */
  manner?: Manner;
  /** In the order in which they are asked. */
  routes: readonly Route[];
  /** Called once the server listens, for what takes the place of HTTP on its port. */
  attach?(http: Server, entrance: Entrance): void;
  /** Ends what would go on for ever. The server takes nothing new by then. */
  close?(): Promise<void>;
}
