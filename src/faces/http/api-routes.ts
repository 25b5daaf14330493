/** Routes of an API by path and method, for the faces that speak another vendor's dialect. */
import type { ServerResponse } from 'node:http';
import type { Route, Visit } from './face.ts';
import { nothingAt } from './missing-path.ts';
import { RouteError } from './route-error.ts';

/** A visit of somebody whose key has been looked at. */
interface ApiVisit extends Visit {
  owner: string;
  /** Texts that the parentheses of the path matched, decoded. */
  params: readonly string[];
}

export interface ApiRoute {
  /** The whole path. */
  path: RegExp;
  methods: Readonly<Record<string, (visit: ApiVisit) => Promise<void>>>;
}

/** One route for all requests that `covers` names. The key is judged before anything else. */
export function routeApi(covers: Route['matches'], routes: readonly ApiRoute[]): Route {
  return {
    matches: covers,
    async answer(visit) {
      const owner = await visit.ownerOf();
      const { request, response, url } = visit;
      for (const { path, methods } of routes) {
        const match = path.exec(url.pathname);
        if (!match) continue;
        const answer = Object.hasOwn(methods, request.method ?? '')
          ? methods[request.method ?? '']
          : undefined;
        if (!answer) {
          const allowed = Object.keys(methods).join(', ');
          response.setHeader('allow', allowed);
          throw new RouteError(405, 'METHOD_NOT_ALLOWED', `The method must be ${allowed}`);
        }
        await answer({ ...visit, owner, params: match.slice(1).map(decoded) });
        return;
      }
      throw nothingAt(url.pathname, { details: { code: 'unknown_url' } });
    },
  };
}

function decoded(part = ''): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Answers 200 with JSON: a value, or its text. */
export function sendJson(response: ServerResponse, body: object | string): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response
    .writeHead(200, {
      'content-type': 'application/json',
      // Without it the body would go out in chunks.
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    })
    .end(text);
}
