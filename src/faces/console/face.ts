/**
 * The pages of the server: the console and GraphiQL. They hold nothing of anybody, and are open to
 * everybody who reaches the server.
 */
import type { Log } from '../../core/log.ts';
import type { Face, Route } from '../http/face.ts';
import { createAppRoutes } from './app/routes.ts';
import { createGraphiQLPage, wantsPage } from './graphiql/page.ts';

export interface ConsoleFaceOptions {
  withConsole: boolean;
  withGraphiQL: boolean;
  /** True where requests need a key by now. */
  withKeys: () => boolean;
  /** Where clients reach the server, if not where they ask. */
  publicUrl: string | null;
  /** Keeps the bundle of the console. */
  dataDirectory: string;
  log: Log;
}

export function createConsoleFace(options: ConsoleFaceOptions): Face {
  const { withConsole, withGraphiQL, publicUrl } = options;
  const root = publicUrl === null ? '' : new URL(publicUrl).pathname.replace(/\/+$/, '');
  const app = withConsole ? createAppRoutes({ ...options, root }) : null;
  const first = withConsole ? '/console' : withGraphiQL ? '/graphql' : null;
  return {
    routes: [
      ...(withGraphiQL ? [graphiqlRoute(options)] : []),
      ...(app?.routes ?? []),
      ...(first ? [firstPageRoute(`${root}${first}`)] : []),
    ],
    attach() {
      app?.prepare();
    },
  };
}

function graphiqlRoute({ withKeys, publicUrl }: ConsoleFaceOptions): Route {
  const page = createGraphiQLPage({ withKeys });
  return {
    matches: ({ url, request }) =>
      (url.pathname === '/graphql' || url.pathname === '/graphql/') && wantsPage(request),
    answer: ({ request, response, url }) => page(request, response, publicUrl ?? addressOf(url)),
  };
}

function firstPageRoute(location: string): Route {
  return {
    matches: ({ url, request }) =>
      url.pathname === '/' && ['GET', 'HEAD'].includes(request.method ?? ''),
    async answer({ response }) {
      response.writeHead(302, { location }).end();
    },
  };
}

/** Where a page was asked for, as it can stand in a command for a shell. */
function addressOf({ origin, host, port }: URL): string {
  // A host may have letters that a shell would read; nobody's server has such a name.
  return /^[\w.:[\]-]+$/.test(host) ? origin : `http://localhost:${port || 80}`;
}
